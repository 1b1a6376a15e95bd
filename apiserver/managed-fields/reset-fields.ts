/** Fields that a write cannot set, whatever it says: they are left out of what its manager owns. */
import type { ResourceDefinition } from '../../schemas/definition.js';
import { asMember, isMember, LEAF, NONE, recursiveDifference, SELF, single, union } from './field-set.js';
import { StructShape } from './shape.js';
import type { FieldsV1 } from './types.js';

/** What nobody ever owns: it names the object, or is the server's. `metadata` itself is a member of no set. */
const STRIPPED_METADATA = [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
];

export const STRIPPED: FieldsV1 = {
  'f:apiVersion': LEAF,
  'f:kind': LEAF,
  'f:metadata': { [SELF]: LEAF, ...Object.fromEntries(STRIPPED_METADATA.map((name) => [`f:${name}`, LEAF])) },
};

/** What of a set counts for the writes through one subresource. */
export interface ResetFields {
  readonly filter: (set: FieldsV1) => FieldsV1;
  /** Names of fields of the object that never count, as a whole. */
  readonly ignored: ReadonlySet<string>;
}

/**
 * Of a resource's own definition: `status` where there is such a subresource, which in turn ignores `spec`, unless the
 * definition says otherwise.
 */
export function resetFieldsOf(definition: ResourceDefinition, subresource: string): ResetFields {
  const found = definition.subresources.find(({ name }) => name === subresource);
  if (found?.settableFields !== undefined) {
    const pattern = patternOf(found.settableFields);
    return { filter: (set) => kept(set, pattern) ?? NONE, ignored: new Set() };
  }
  const place = subresource === '' ? definition : found;
  const paths = place?.resetFields ?? defaultOf(definition, subresource);
  if (paths.length === 0) return { filter: (set) => set, ignored: new Set() };
  const reset = paths.map((path) => single(path.split('.').map((name) => `f:${name}`))).reduce(union);
  return {
    filter: (set) => recursiveDifference(set, reset),
    ignored: new Set(paths.filter((path) => !path.includes('.'))),
  };
}

function defaultOf({ subresources }: ResourceDefinition, subresource: string): readonly string[] {
  if (subresource === 'status') return ['spec'];
  return subresource === '' && subresources.some(({ name }) => name === 'status') ? ['status'] : [];
}

/** Keys of a set, `*` for any; nothing below means everything below. */
interface Pattern {
  [key: string]: Pattern;
}

function patternOf(paths: readonly string[]): Pattern {
  const root: Pattern = {};
  for (const path of paths) {
    let at = root;
    for (const name of path.split('.')) {
      at = at[name === '*' ? name : `f:${name}`] ??= {};
    }
  }
  return root;
}

/** The members on the way to what a pattern names, and all below it. */
function kept(node: FieldsV1, pattern: Pattern): FieldsV1 | undefined {
  const tree: Record<string, FieldsV1> = {};
  for (const key in node) {
    if (key === SELF) continue;
    const below = pattern[key] ?? pattern['*'];
    if (below === undefined) continue;
    const child = node[key]!;
    const rest = Object.keys(below).length === 0 ? child : kept(child, below);
    if (isMember(child)) tree[key] = asMember(rest ?? LEAF);
    else if (rest !== undefined) tree[key] = rest;
  }
  return Object.keys(tree).length > 0 ? tree : undefined;
}

/** An object's shape for comparing: what nobody owns or what never counts need not be looked at. */
export function comparedShape(shape: StructShape, ignored: ReadonlySet<string>): StructShape {
  const skipped = new Set([...ignored, 'apiVersion', 'kind']);
  return new StructShape(false, () =>
    shape.fields
      .filter(({ name }) => !skipped.has(name))
      .map((field) => {
        const { name, shape: metadata } = field;
        if (name !== 'metadata' || metadata.kind !== 'struct') return field;
        const left = metadata.fields.filter((inner) => !STRIPPED_METADATA.includes(inner.name));
        return { ...field, shape: new StructShape(false, () => left) };
      }),
  );
}
