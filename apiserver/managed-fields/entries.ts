/** `metadata.managedFields` read and written: one manager's set of fields an entry. */
import { isEmpty, LEAF, NONE, SELF, sortedNode, uniteNodes } from './field-set.js';
import { canonicalKey, compareKeys, compareText } from './path-elements.js';
import { FieldsProblem, type FieldsV1, type ManagedFieldsEntry } from './types.js';

/** An entry that has been read. Never changed. */
export interface Managed {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly set: FieldsV1;
  /** What this was read from, as long as it says the same. */
  readonly entry: ManagedFieldsEntry | undefined;
}

/** Who an entry belongs to. An applier is the same one whatever version it applies. */
type Identity = Pick<Managed, 'manager' | 'operation' | 'apiVersion' | 'subresource'>;

export const isSameManager = (a: Identity, b: Identity): boolean =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.subresource === b.subresource &&
  (a.operation === 'Apply' || a.apiVersion === b.apiVersion);

/** An identity as upstream writes it, which some orders go by. */
export function identityText({ manager, operation, apiVersion, subresource }: Identity): string {
  return JSON.stringify({
    ...(manager === '' ? {} : { manager }),
    operation,
    ...(operation === 'Apply' ? {} : { apiVersion }),
    ...(subresource === '' ? {} : { subresource }),
  });
}

/** Levels that a set may have below each other; objects have some twenty. */
const DEPTH_MAX = 1000;

/** Reads entries, of which a later one replaces an earlier one of the same manager. Throws FieldsProblem. */
export function readEntries(entries: readonly unknown[]): Managed[] {
  const managed = new Map<string, Managed>();
  for (const [i, entry] of entries.entries()) {
    const read = readEntry(entry as ManagedFieldsEntry, i);
    // A later one takes the place of an earlier one.
    managed.set(identityText(read), read);
  }
  return [...managed.values()];
}

/** Entries of which one cannot be read count for none. */
export function readEntriesOrNone(entries: readonly unknown[] | undefined): Managed[] {
  try {
    return readEntries(entries ?? []);
  } catch (error) {
    if (error instanceof FieldsProblem) return [];
    throw error;
  }
}

function readEntry(entry: ManagedFieldsEntry, index: number): Managed {
  const { manager = '', operation, apiVersion = '', fieldsType = '', subresource = '' } = entry;
  if (operation !== 'Apply' && operation !== 'Update') {
    throw new FieldsProblem('operation must be `Apply` or `Update`');
  }
  if (apiVersion === '') throw new FieldsProblem('apiVersion must not be empty');
  if (fieldsType === '') throw new FieldsProblem(`missing fieldsType in managed fields entry ${index}`);
  if (fieldsType !== 'FieldsV1') {
    throw new FieldsProblem(
      `invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${index}`,
    );
  }
  const set = withoutSelf(readNode(entry.fieldsV1 ?? NONE, 0));
  const time = entry.time ?? undefined;
  const same = set === entry.fieldsV1 ? entry : undefined;
  return { manager, operation, apiVersion, subresource, time, set, entry: same };
}

/** The object as a whole is nobody's. */
function withoutSelf(set: FieldsV1): FieldsV1 {
  if (set[SELF] === undefined) return set;
  const { [SELF]: _, ...rest } = set;
  return rest;
}

/** The node itself where it is in canonical form already, as it nearly always is. */
function readNode(node: unknown, depth: number): FieldsV1 {
  if (node === null) return LEAF;
  if (typeof node !== 'object' || Array.isArray(node) || depth > DEPTH_MAX) {
    throw new FieldsProblem('error decoding set');
  }
  const given = node as FieldsV1;
  let members: [string, FieldsV1][] | undefined;
  let last: string | undefined;
  for (const key in given) {
    const text = key === SELF ? SELF : canonicalKey(key);
    if (text === false) throw new FieldsProblem('error decoding set');
    const child = key === SELF ? LEAF : readNode(given[key], depth + 1);
    const same = text === key && (child === given[key] || (isEmpty(child) && isLeaf(given[key])));
    if (members === undefined && !(same && (last === undefined || compareKeys(last, key) < 0))) {
      members = membersBefore(given, key);
    }
    if (text !== undefined) members?.push([text, child]);
    last = key;
  }
  if (members === undefined) return last === SELF ? LEAF : given;
  return ordered(members);
}

const isLeaf = (node: unknown): boolean =>
  typeof node === 'object' && node !== null && isEmpty(node as FieldsV1);

function membersBefore(node: FieldsV1, end: string): [string, FieldsV1][] {
  const members: [string, FieldsV1][] = [];
  for (const key in node) {
    if (key === end) break;
    members.push([key, node[key]!]);
  }
  return members;
}

/** Of one key that was written in two ways the two are one. */
function ordered(members: readonly (readonly [string, FieldsV1])[]): FieldsV1 {
  const byKey = new Map<string, FieldsV1>();
  for (const [key, node] of members) {
    const known = byKey.get(key);
    byKey.set(key, known === undefined ? node : uniteNodes(known, node));
  }
  const node = sortedNode([...byKey]) ?? LEAF;
  return byKey.size === 1 && byKey.has(SELF) ? LEAF : node;
}

/** managedFields in their order: appliers first, the oldest first. */
export function writeEntries(managed: readonly Managed[]): ManagedFieldsEntry[] {
  return [...managed].sort(compareManaged).map(writeEntry);
}

function compareManaged(a: Managed, b: Managed): number {
  return (
    compareText(a.operation, b.operation) ||
    compareText(a.time ?? EPOCH, b.time ?? EPOCH) ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

/** What an absent time counts as. */
export const EPOCH = '1970-01-01T00:00:00Z';

function writeEntry(managed: Managed): ManagedFieldsEntry {
  if (managed.entry !== undefined) return managed.entry;
  const { manager, operation, apiVersion, time, set, subresource } = managed;
  const entry: { -readonly [Name in keyof ManagedFieldsEntry]: ManagedFieldsEntry[Name] } = {};
  if (manager !== '') entry.manager = manager;
  entry.operation = operation;
  entry.apiVersion = apiVersion;
  if (time !== undefined) entry.time = time;
  entry.fieldsType = 'FieldsV1';
  entry.fieldsV1 = set;
  if (subresource !== '') entry.subresource = subresource;
  return entry;
}

/** The entry with another set; the same one where the set is the same. */
export function withSet(managed: Managed, set: FieldsV1): Managed {
  if (set === managed.set) return managed;
  const { manager, operation, apiVersion, subresource, time } = managed;
  return { manager, operation, apiVersion, subresource, time, set, entry: undefined };
}
