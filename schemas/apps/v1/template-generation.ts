/**
 * How often a DaemonSet's template has changed. It was a field of the spec once; in apps/v1 it lives on in an annotation,
 * which the server keeps and clients cannot set, but for the number that a new object begins with.
 */
import type { KubeObject } from '../../definition.js';

export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

/** Absent for an object that has none; NaN for one that is no integer. */
export function templateGenerationOf({ metadata: { annotations = {} } }: KubeObject): number | undefined {
  const text = Object.hasOwn(annotations, TEMPLATE_GENERATION) ? annotations[TEMPLATE_GENERATION] : undefined;
  if (text === undefined) return undefined;
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

export function setTemplateGeneration({ metadata }: KubeObject, value: number): void {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(value) };
}
