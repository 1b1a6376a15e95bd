/** Random writers of one object: what must hold of its fields and their owners, whatever they do. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import { StatusError } from '../../apiserver/errors.js';
import { FieldManager, type ManagedFieldsEntry } from '../../apiserver/managed-fields/index.js';
import { readEntries, writeEntries } from '../../apiserver/managed-fields/entries.js';
import { paths } from '../../apiserver/managed-fields/field-set.js';
import { keyJson, printPath } from '../../apiserver/managed-fields/path-elements.js';
import type { KubeObject } from '../../schemas/definition.js';
import { body, type Nested, type Spec, stored, things } from './managed-fields-fixture.js';

const fields = new FieldManager(things);

// Nothing that Go would leave out when it prints the object: no nulls, zero values, empty lists or maps.
const name = fc.constantFrom('a', 'b', 'c');
const value = fc.constantFrom('1', '2');
const map = fc.dictionary(name, value, { minKeys: 1, maxKeys: 3 });
const some = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(shape, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
const filled = <T extends object>(arbitrary: fc.Arbitrary<T>) =>
  arbitrary.filter((made) => Object.keys(made).length > 0);
const set = fc.uniqueArray(name, { minLength: 1, maxLength: 3 });
const nested = filled(some<Required<Nested>>({ a: fc.constantFrom(1, 2), b: value, deep: map }));
const items = fc.uniqueArray(
  fc.record({ name, value, tags: set, inner: nested }, { requiredKeys: ['name'] }),
  { selector: (item) => item.name, minLength: 1, maxLength: 3 },
);
const ports = fc.uniqueArray(
  fc.record(
    { port: fc.constantFrom(80, 443), protocol: fc.constantFrom('TCP', 'UDP'), name: value },
    { requiredKeys: ['port', 'protocol'] },
  ),
  { selector: ({ port, protocol }) => `${port}/${protocol}`, minLength: 1, maxLength: 3 },
);
const spec = some({
  number: fc.constantFrom(1, 2),
  text: value,
  map,
  structs: fc.dictionary(name, nested, { minKeys: 1, maxKeys: 2 }),
  nested,
  pointer: nested,
  items,
  ports,
  set,
  atomicList: fc.array(value, { minLength: 1, maxLength: 2 }),
  atomicMap: map,
  atomicStruct: filled(some({ x: value, y: fc.constantFrom(1, 2) })),
}) as fc.Arbitrary<Spec>;

const manager = fc.constantFrom('one', 'two', 'three');
const applying = fc.record({ kind: fc.constant('apply' as const), manager, spec, force: fc.boolean() });
const updating = fc.record({ kind: fc.constant('update' as const), manager, spec });
type Step = { kind: 'apply' | 'update'; manager: string; spec: Spec; force?: boolean };

/** A spec as its leaves: path as conflicts print it → value. Written down apart from the schema. */
function leavesOf(spec: Spec): Map<string, string> {
  const leaves = new Map<string, string>();
  const leaf = (path: string, given: unknown) => {
    if (given !== undefined) leaves.set(`.spec${path}`, keyJson(given));
  };
  const members = (
    path: string,
    given: object = {},
    visit = leaf as (path: string, given: never) => void,
  ) => {
    for (const [key, member] of Object.entries(given)) visit(`${path}.${key}`, member as never);
  };
  const ofSet = (path: string, given: readonly string[] = []) => {
    for (const member of given) leaf(`${path}[="${member}"]`, member);
  };
  const ofNested = (path: string, given: Nested = {}) => {
    leaf(`${path}.a`, given.a);
    leaf(`${path}.b`, given.b);
    members(`${path}.deep`, given.deep);
  };
  for (const key of ['number', 'text', 'atomicList', 'atomicMap', 'atomicStruct'] as const)
    leaf(`.${key}`, spec[key]);
  members('.map', spec.map);
  members('.structs', spec.structs, ofNested);
  ofNested('.nested', spec.nested);
  ofNested('.pointer', spec.pointer);
  ofSet('.set', spec.set);
  for (const item of spec.items ?? []) {
    const path = `.items[name="${item.name}"]`;
    leaf(`${path}.name`, item.name);
    leaf(`${path}.value`, item.value);
    ofSet(`${path}.tags`, item.tags);
    ofNested(`${path}.inner`, item.inner);
  }
  for (const port of spec.ports ?? []) {
    members(`.ports[port=${port.port},protocol="${port.protocol}"]`, port);
  }
  return leaves;
}

const sorted = (values: Iterable<string>): string[] => [...values].toSorted();
const entriesOf = (object: KubeObject | undefined) =>
  (object?.metadata.managedFields ?? []) as ManagedFieldsEntry[];
const specOf = (object: KubeObject | undefined) => (object?.['spec'] ?? {}) as Spec;

/** The object after a step, as it would be stored; undefined for a conflict. */
function after(live: KubeObject | undefined, step: Step): { object: KubeObject } | { conflicts: string[] } {
  const write = { manager: step.manager, subresource: '', now: 0 };
  if (step.kind === 'update') {
    const next = stored({ spec: step.spec });
    return { object: withEntries(next, fields.update(live, next, write)) };
  }
  try {
    const { object, managedFields } = fields.apply(live, body(step.spec), {
      ...write,
      force: step.force ?? false,
    });
    return { object: withEntries(stored({ spec: object['spec'] as Spec }), managedFields) };
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 409) throw error;
    return {
      conflicts: (error.details?.causes ?? []).map(({ field = '', message }) => `${field} ${message}`),
    };
  }
}

function withEntries(object: KubeObject, entries: readonly ManagedFieldsEntry[]): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: entries.length === 0 ? metadata : { ...metadata, managedFields: [...entries] },
  };
}

/** leaf → its owners, of appliers and updaters alike. */
function ownersOf(object: KubeObject | undefined): Map<string, Set<string>> {
  const owners = new Map<string, Set<string>>();
  for (const { manager: owner = '', operation = '', fieldsV1 = {} } of entriesOf(object)) {
    for (const path of paths(fieldsV1).map(printPath)) {
      const known = owners.get(path) ?? new Set();
      owners.set(path, known.add(operation === 'Apply' ? owner : `${owner}:Update`));
    }
  }
  return owners;
}

/** An item of a list of structs, or a struct in a map: what stands for all that is in it. */
const isContainer = (path: string): boolean =>
  /^\.spec\.(?:structs\.\w|(?:items|ports)\[[^\]]*\])(?: |$)/.test(path);

/** Appliers alone, leaf by leaf: what apply means, without trees, containers and lists. */
class Model {
  readonly values = new Map<string, string>();
  readonly owners = new Map<string, Set<string>>();

  /** Conflicts; empty when it was applied. */
  apply(applier: string, applied: ReadonlyMap<string, string>, force: boolean): string[] {
    const conflicts: string[] = [];
    for (const [path, wanted] of applied) {
      if (this.values.get(path) === wanted) continue;
      for (const owner of this.owners.get(path) ?? []) {
        if (owner !== applier) conflicts.push(`${path} conflict with "${owner}"`);
      }
    }
    if (conflicts.length > 0 && !force) return conflicts;
    for (const [path, wanted] of applied) {
      const others = this.values.get(path) === wanted ? (this.owners.get(path) ?? []) : [];
      this.values.set(path, wanted);
      this.owners.set(path, new Set([...others, applier]));
    }
    for (const [path, owners] of this.owners) {
      if (applied.has(path) || !owners.delete(applier) || owners.size > 0) continue;
      this.owners.delete(path);
      this.values.delete(path);
    }
    return [];
  }
}

t.test('appliers do, leaf by leaf, what a model of a few lines says', async () => {
  fc.assert(
    fc.property(fc.array(applying, { minLength: 1, maxLength: 8 }), (steps) => {
      const model = new Model();
      let live: KubeObject | undefined;
      for (const step of steps) {
        const applied = leavesOf(step.spec);
        const expected = model.apply(step.manager, applied, step.force);
        const result = after(live, step);
        if ('conflicts' in result) {
          // Of an item or member that is not there the item is contested too, which is no leaf.
          assert.deepEqual(sorted(result.conflicts.filter((text) => !isContainer(text))), sorted(expected));
          continue;
        }
        assert.deepEqual(expected, []);
        live = result.object;
        assert.deepEqual(Object.fromEntries(leavesOf(specOf(live))), Object.fromEntries(model.values));
        const owners = ownersOf(live);
        for (const [path, expectedOwners] of model.owners)
          assert.deepEqual(sorted(owners.get(path) ?? []), sorted(expectedOwners));
        for (const path of owners.keys()) assert.ok(model.owners.has(path) || isContainer(path), path);
        // Who has applied nothing, or has given up everything, is forgotten.
        const appliers = new Set([...model.owners.values()].flatMap((some) => [...some]));
        assert.deepEqual(sorted(entriesOf(live).map((entry) => entry.manager ?? '')), sorted(appliers));
        if (appliers.size === 0) live = undefined;
      }
    }),
  );
});

const history = fc.array(fc.oneof<fc.Arbitrary<Step>[]>(applying, updating), { minLength: 1, maxLength: 8 });

/** Each state that a history leads to, with what led there. Ends where nobody owns anything any more. */
function* states(
  steps: readonly Step[],
): Generator<{ before: KubeObject | undefined; step: Step; object: KubeObject }> {
  let before: KubeObject | undefined;
  for (const step of steps) {
    const result = after(before, step);
    if ('conflicts' in result) continue;
    yield { before, step, object: result.object };
    if (entriesOf(result.object).length === 0) return;
    before = result.object;
  }
}

t.test("what is applied is in the object and its applier's, and all else of the applier is not", async () => {
  fc.assert(
    fc.property(history, (steps) => {
      for (const { step, object } of states(steps)) {
        if (step.kind !== 'apply') continue;
        const leaves = leavesOf(specOf(object));
        const applied = leavesOf(step.spec);
        for (const [path, wanted] of applied) assert.equal(leaves.get(path), wanted, path);
        const mine = [...ownersOf(object)]
          .filter(([, owners]) => owners.has(step.manager))
          .map(([path]) => path);
        assert.deepEqual(sorted(mine.filter((path) => !isContainer(path))), sorted(applied.keys()));
      }
    }),
  );
});

t.test("every leaf is somebody's, and nobody owns what is not there", async () => {
  fc.assert(
    fc.property(history, (steps) => {
      for (const { object } of states(steps)) {
        const leaves = leavesOf(specOf(object));
        const owners = ownersOf(object);
        for (const path of leaves.keys()) assert.ok((owners.get(path)?.size ?? 0) > 0, `${path} is owned`);
        for (const path of owners.keys()) {
          // Who made a map or list owns it until somebody replaces it, even when it is empty.
          const filledBelow = [...leaves.keys()].some((leaf) => leaf.startsWith(path));
          assert.ok(
            filledBelow ||
              /\.(?:map|structs|pointer|inner|deep|tags|items|ports|set|nested)$|structs\.\w$/.test(path),
            path,
          );
        }
      }
    }),
  );
});

t.test('what other appliers own stays as it is, unless it is forced', async () => {
  fc.assert(
    fc.property(history, (steps) => {
      for (const { before, step, object } of states(steps)) {
        if (step.kind !== 'apply' || step.force) continue;
        const leaves = leavesOf(specOf(before));
        const now = leavesOf(specOf(object));
        const ownersNow = ownersOf(object);
        for (const [path, owners] of ownersOf(before)) {
          const others = [...owners].filter((owner) => owner !== step.manager && !owner.endsWith(':Update'));
          if (others.length === 0 || !leaves.has(path)) continue;
          assert.equal(now.get(path), leaves.get(path), path);
          for (const owner of others)
            assert.ok(ownersNow.get(path)?.has(owner), `${path} is still ${owner}'s`);
        }
      }
    }),
  );
});

t.test('who writes plainly owns what changed, and nobody else does', async () => {
  fc.assert(
    fc.property(history, (steps) => {
      for (const { before, step, object } of states(steps)) {
        if (step.kind !== 'update') continue;
        const was = leavesOf(specOf(before));
        const owners = ownersOf(object);
        const ownersBefore = ownersOf(before);
        for (const [path, now] of leavesOf(specOf(object))) {
          const expected =
            was.get(path) === now ? (ownersBefore.get(path) ?? []) : [`${step.manager}:Update`];
          assert.deepEqual(sorted(owners.get(path) ?? []), sorted(expected), path);
        }
      }
    }),
  );
});

t.test('applying the same again changes nothing', async () => {
  fc.assert(
    fc.property(history, (steps) => {
      for (const { step, object } of states(steps)) {
        if (step.kind !== 'apply' || entriesOf(object).length === 0) continue;
        const write = { manager: step.manager, subresource: '', now: 60_000, force: false };
        assert.ok(fields.apply(object, body(step.spec), write).unchanged, JSON.stringify(step));
      }
    }),
  );
});

t.test('a write that changes nothing leaves the entries as they are', async () => {
  fc.assert(
    fc.property(history, manager, (steps, other) => {
      for (const { object } of states(steps)) {
        const next = stored({ spec: structuredClone(specOf(object)) });
        const entries = fields.update(object, next, { manager: other, subresource: '', now: 60_000 });
        if (entriesOf(object).length > 0) assert.equal(entries, entriesOf(object));
      }
    }),
  );
});

t.test('entries are the same after being written and read', async () => {
  fc.assert(
    fc.property(history, (steps) => {
      for (const { object } of states(steps)) {
        const text = JSON.stringify(entriesOf(object));
        assert.equal(JSON.stringify(writeEntries(readEntries(JSON.parse(text) as unknown[]))), text);
      }
    }),
  );
});

t.test('whatever is applied, nothing but a Status is thrown', async () => {
  const anything = fc.jsonValue({ maxDepth: 4 });
  const maybe = (arbitrary: fc.Arbitrary<unknown>) =>
    fc.oneof({ weight: 4, arbitrary }, { weight: 1, arbitrary: anything });
  const wild = fc.record(
    {
      metadata: maybe(
        fc.record({ labels: anything, managedFields: anything, finalizers: anything }, { requiredKeys: [] }),
      ),
      spec: maybe(
        fc.record(
          {
            number: anything,
            map: anything,
            items: maybe(fc.array(maybe(fc.record({ name: anything, tags: anything })))),
            any: anything,
            set: anything,
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(history, wild, fc.boolean(), (steps, applied, force) => {
      const live = [...states(steps)].at(-1)?.object;
      const write = { manager: 'kubectl', subresource: '', now: 0, force };
      try {
        fields.apply(live, { ...applied, kind: 'Thing', apiVersion: 'test.managed/v1' }, write);
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
      }
    }),
  );
});

t.test('whatever entries clients send, a plain write goes through', async () => {
  const key = fc.oneof(
    fc.constantFrom('.', 'f:spec', 'f:map', 'f:atomicMap', 'f:items', 'k:{"name":"a"}', 'v:1', 'i:0', 'x:y'),
    fc.string(),
  );
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.constant({}),
      fc.dictionary(key, tie('node'), { maxKeys: 3 }),
      fc.jsonValue(),
    ),
  })).node;
  const entry = fc.record(
    {
      manager: fc.string(),
      operation: fc.constantFrom('Apply', 'Update'),
      apiVersion: fc.constantFrom('test.managed/v1', 'v1'),
      time: fc.constant('2026-01-01T00:00:00Z'),
      fieldsType: fc.constant('FieldsV1'),
      fieldsV1: tree,
      subresource: fc.constantFrom('', 'status'),
    },
    { requiredKeys: ['operation', 'apiVersion', 'fieldsType'] },
  );
  fc.assert(
    fc.property(history, fc.array(entry, { maxLength: 4 }), spec, (steps, entries, next) => {
      const live = [...states(steps)].at(-1)?.object;
      const object = stored({ spec: next, metadata: { managedFields: entries } });
      const written = fields.update(live, object, { manager: 'm', subresource: '', now: 0 });
      assert.deepEqual(writeEntries(readEntries(JSON.parse(JSON.stringify(written)) as unknown[])), written);
    }),
  );
});

t.test('two appliers of different fields come to the same in either order', async () => {
  const unordered = (object: KubeObject) => ({
    leaves: Object.fromEntries([...leavesOf(specOf(object))].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    owners: [...ownersOf(object)].map(([path, owners]) => `${path} ${sorted(owners).join()}`).toSorted(),
  });
  fc.assert(
    fc.property(history, spec, spec, (steps, mine, theirs) => {
      const shared = [...leavesOf(mine).keys()].some((path) => leavesOf(theirs).has(path));
      const start = [...states(steps)].at(-1)?.object;
      if (shared || entriesOf(start).length === 0) return;
      const order = (...pair: readonly [string, Spec][]) => {
        let object = start;
        for (const [applier, applied] of pair) {
          const result = after(object, { kind: 'apply', manager: applier, spec: applied });
          if ('conflicts' in result) return undefined;
          object = result.object;
        }
        return object === undefined ? undefined : unordered(object);
      };
      const first = order(['left', mine], ['right', theirs]);
      const second = order(['right', theirs], ['left', mine]);
      assert.deepEqual(first, second);
    }),
  );
});
