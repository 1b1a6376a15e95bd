/** Runs the admission plugins over one write. */
import type { KubeObject } from '../../schemas/definition.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission/plugin.js';
import type { RequestContext } from '../request.js';
import type { Resource } from './resource.js';

export interface Admitted {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly subresource?: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: KubeObject | undefined;
  readonly old: KubeObject | undefined;
  readonly dryRun: boolean;
}

export type Phase = 'admit' | 'validate';

export const attributesOf = (
  resource: Resource,
  context: RequestContext,
  admitted: Admitted,
): AdmissionAttributes => ({
  subresource: '',
  ...admitted,
  context,
  definition: resource.definition,
});

/** `admit` runs after defaults and before validation, `validate` after it. Throws what a plugin refuses with. */
export async function runAdmission(
  plugins: readonly AdmissionPlugin[],
  phase: Phase,
  attributes: AdmissionAttributes,
): Promise<void> {
  for (const plugin of plugins) {
    if (plugin[phase] === undefined || !plugin.handles(attributes)) continue;
    const pending = plugin[phase](attributes);
    if (pending !== undefined) await pending;
  }
}
