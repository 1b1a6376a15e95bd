/** Query and path parameters, as the operations name them. */

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly required?: true;
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

const STRING = { type: 'string', uniqueItems: true };
const BOOLEAN = { type: 'boolean', uniqueItems: true };
const INTEGER = { type: 'integer', uniqueItems: true };

const query = (name: string, schema: Parameter['schema'], description: string): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
});
const path = (name: string, description: string): Parameter => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: STRING,
});

export const pretty = query('pretty', STRING, 'Answer indented when `true`.');
export const nameInPath = (kind: string) => path('name', `Name of the ${kind}.`);
export const namespaceInPath = path('namespace', 'Namespace of the objects.');

const dryRun = query('dryRun', STRING, 'With `All` nothing is stored; the answer is as if it were.');
const fieldManager = query('fieldManager', STRING, 'Who makes this change, at most 128 bytes.');
const fieldValidation = query(
  'fieldValidation',
  STRING,
  'What becomes of unknown and duplicate fields: `Ignore`, `Warn` (the default) or `Strict`.',
);

/** Of create, update and patch. */
export const WRITE_PARAMETERS: readonly Parameter[] = [dryRun, fieldManager, fieldValidation];
export const PATCH_PARAMETERS: readonly Parameter[] = [
  ...WRITE_PARAMETERS,
  query('force', BOOLEAN, 'Take over fields that others manage; of apply patches only.'),
];

export const DELETE_PARAMETERS: readonly Parameter[] = [
  dryRun,
  query('gracePeriodSeconds', INTEGER, 'Seconds the object may take to stop; 0 deletes at once.'),
  query('orphanDependents', BOOLEAN, 'Superseded by propagationPolicy.'),
  query('propagationPolicy', STRING, 'What becomes of dependents: `Orphan`, `Background` or `Foreground`.'),
];

const continueToken = query('continue', STRING, 'Where the previous part of the list ended.');
const selectors: readonly Parameter[] = [
  query('fieldSelector', STRING, 'Only objects with such fields: `metadata.name=x`.'),
  query('labelSelector', STRING, 'Only objects with such labels: `app=web,tier in (a,b)`.'),
];
const paging: readonly Parameter[] = [
  query('limit', INTEGER, 'At most so many objects; the rest follows with `continue`.'),
  query('resourceVersion', STRING, 'Of which age the answer may be; unset is the present.'),
  query('resourceVersionMatch', STRING, '`Exact` or `NotOlderThan`: how resourceVersion is meant.'),
  query('sendInitialEvents', BOOLEAN, 'Begin a watch with the present state and a bookmark.'),
  query('timeoutSeconds', INTEGER, 'End the list or watch after so many seconds.'),
];

export const LIST_PARAMETERS: readonly Parameter[] = [
  query('allowWatchBookmarks', BOOLEAN, 'Send BOOKMARK events from time to time.'),
  continueToken,
  ...selectors,
  ...paging,
  query('watch', BOOLEAN, 'Changes as a stream, instead of a list.'),
];

export const DELETE_COLLECTION_PARAMETERS: readonly Parameter[] = [
  continueToken,
  ...DELETE_PARAMETERS,
  ...selectors,
  ...paging,
];
