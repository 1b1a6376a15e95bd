/** Fields that an applier would change and others own. */
import { type StatusCause, StatusError } from '../errors.js';
import { identityText, type Managed } from './entries.js';
import { has, paths } from './field-set.js';
import { compareText, printPath } from './path-elements.js';
import type { FieldsV1 } from './types.js';

export interface Conflict {
  readonly manager: Managed;
  /** Keys from the root. */
  readonly path: readonly string[];
}

export interface Contested {
  readonly manager: Managed;
  readonly fields: FieldsV1;
}

/** One conflict a field, by manager and then in Go's order of fields. */
export function conflictsOf(contested: readonly Contested[]): Conflict[] {
  return contested
    .map((one) => ({ ...one, identity: identityText(one.manager) }))
    .sort((a, b) => compareText(a.identity, b.identity))
    .flatMap(({ manager, fields }) => paths(fields).map((path) => ({ manager, path })));
}

/** What is left of conflicts when those on the members of a set are none. */
export const conflictsBeside = (conflicts: readonly Conflict[], allowed: FieldsV1): Conflict[] =>
  conflicts.filter(({ path }) => !has(allowed, path));

/** Causes that one answer lists. */
const CAUSES_MAX = 10_000;

export function applyConflict(conflicts: readonly Conflict[]): StatusError {
  const causes: StatusCause[] = conflicts.slice(0, CAUSES_MAX).map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${printManager(manager)}`,
    field: printPath(path),
  }));
  return new StatusError(409, 'Conflict', messageOf(conflicts), { causes });
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (first !== undefined && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${printManager(first.manager)}: ${printPath(first.path)}`;
  }
  const lines: string[] = [];
  let last: Managed | undefined;
  for (const { manager, path } of conflicts.slice(0, CAUSES_MAX)) {
    if (manager !== last) lines.push(`conflicts with ${printManager(manager)}:`);
    lines.push(`- ${printPath(path)}`);
    last = manager;
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

function printManager({ manager, operation, apiVersion, subresource }: Managed): string {
  const name = JSON.stringify(manager);
  const through = subresource === '' ? name : `${name} with subresource ${JSON.stringify(subresource)}`;
  return operation === 'Update' ? `${through} using ${apiVersion}` : through;
}
