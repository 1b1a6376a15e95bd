/**
 * Random graphs of owners over several kinds, random deletions: in the end exactly what must stay is there, nothing waits
 * and no reference leads nowhere. A failure prints its seed.
 */
import t from 'tap';
import type { KubeObject, ObjectMeta, OwnerReference } from '../../schemas/definition.js';
import { random, type Random } from '../raft/random.js';
import { type Garden, openGarden, ownedBy, until } from './garbage-collector-fixture.js';

const ROUNDS = process.env['WHERRY_TEST_SEED'] === undefined ? 12 : 1;
const KINDS = ['configmaps', 'secrets', 'services', 'serviceaccounts', 'nodes', 'configmaps'];
const POLICIES = ['Background', 'Foreground', 'Orphan'] as const;
const OBJECTS_MAX = 24;
const OWNERS_MAX = 3;
const HOLD = 'example.com/hold';
const ABSENT = '00000000-0000-4000-8000-000000000000';

const below = (random: Random, limit: number): number => random.between(0, limit - 1);
const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)] as T;

type Policy = (typeof POLICIES)[number];

/** Uids and the uids of their owners, in order. */
function byUid(all: readonly (readonly [uid: string, owners: string[]])[]): Map<string, string[]> {
  const sorted = all.map(([uid, owners]): [string, string[]] => [uid, owners.toSorted()]);
  return new Map(sorted.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What should be there: each object with the uids of its owners. */
class Expected {
  readonly owners = new Map<string, Set<string>>();

  delete(uid: string, policy: Policy): void {
    this.owners.delete(uid);
    if (policy === 'Orphan') for (const owners of this.owners.values()) owners.delete(uid);
    this.settle();
  }

  /** Objects that had owners and have none left go; others lose the references to what is gone. */
  settle(): void {
    for (let changed = true; changed; ) {
      changed = false;
      for (const [uid, owners] of this.owners) {
        const left = [...owners].filter((owner) => this.owners.has(owner));
        if (owners.size === 0 || left.length > 0) continue;
        this.owners.delete(uid);
        changed = true;
      }
    }
    for (const owners of this.owners.values()) {
      for (const owner of owners) if (!this.owners.has(owner)) owners.delete(owner);
    }
  }

  describe(): Map<string, string[]> {
    return byUid([...this.owners].map(([uid, owners]) => [uid, [...owners]]));
  }
}

async function actual(garden: Garden, objects: readonly KubeObject[]): Promise<Map<string, string[]>> {
  const found = await Promise.all(objects.map((object) => garden.find(object)));
  return byUid(
    found
      .filter((object) => object !== undefined)
      .map(({ metadata: { uid = '', ownerReferences = [] } }) => [
        uid,
        [...new Set(ownerReferences.map((owner) => owner.uid))],
      ]),
  );
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const entries = (map: Map<string, string[]>) => [...map];

/** Plants a graph whose owners are all there or never were, and what is expected of it. */
async function plantGraph(garden: Garden, random: Random, holds: boolean) {
  const expected = new Expected();
  const objects: KubeObject[] = [];
  const count = 2 + below(random, OBJECTS_MAX - 1);
  for (let i = 0; i < count; i++) {
    const plural = pick(random, KINDS);
    const isCluster = plural === 'nodes';
    const candidates = objects.filter(({ kind }) => !isCluster || kind === 'Node');
    const references: OwnerReference[] = [];
    for (let n = below(random, OWNERS_MAX + 1); n > 0; n--) {
      if (candidates.length === 0) break;
      const owner = pick(random, candidates);
      if (references.some(({ uid }) => uid === owner.metadata.uid)) continue;
      references.push(ownedBy(owner, below(random, 2) === 0 ? { blockOwnerDeletion: true } : {}));
    }
    if (below(random, 12) === 0) {
      references.push({ apiVersion: 'v1', kind: isCluster ? 'Node' : 'Secret', name: 'never', uid: ABSENT });
    }
    const metadata: ObjectMeta = holds && below(random, 4) === 0 ? { finalizers: [HOLD] } : {};
    const object = await garden.plant(plural, `o${i}`, references, metadata);
    objects.push(object);
    expected.owners.set(object.metadata.uid ?? '', new Set(references.map(({ uid }) => uid)));
  }
  await closeCircle(garden, random, objects, expected);
  expected.settle();
  return { objects, expected };
}

/** Sometimes an early object comes to be owned by a late one. */
async function closeCircle(garden: Garden, random: Random, objects: KubeObject[], expected: Expected) {
  const [first] = objects;
  const last = objects.at(-1);
  if (first === undefined || last === undefined || first === last || below(random, 2) === 0) return;
  if (first.kind === 'Node' && last.kind !== 'Node') return;
  const { uid = '' } = first.metadata;
  const own = (metadata: ObjectMeta) => {
    metadata.ownerReferences = [
      ...(metadata.ownerReferences ?? []),
      ownedBy(last, { blockOwnerDeletion: true }),
    ];
  };
  // One of the two may have been garbage already.
  const changed = await garden.change(first, own).catch(() => undefined);
  if (changed !== undefined && changed.metadata.deletionTimestamp === undefined)
    expected.owners.get(uid)?.add(last.metadata.uid ?? '');
}

async function settles(
  garden: Garden,
  objects: readonly KubeObject[],
  expected: Expected,
  what: string,
  meanwhile: () => Promise<void> = async () => undefined,
) {
  const wanted = entries(expected.describe());
  let last: unknown;
  try {
    await until(async () => {
      await meanwhile();
      last = entries(await actual(garden, objects));
      return same(last, wanted);
    }, what);
  } catch (error) {
    const names = Object.fromEntries(
      objects.map(({ kind, metadata }) => [metadata.uid, `${kind}/${metadata.name}`]),
    );
    throw new Error(`${what}: ${JSON.stringify({ names, wanted, last })}`, { cause: error });
  }
}

for (let round = 0; round < ROUNDS; round++) {
  const draws = random();
  const { seed } = draws;

  t.test(`one deletion after the other, seed ${seed}`, async (t) => {
    const garden = await openGarden(t);
    // The collector comes before or after.
    const early = below(draws, 2) === 0;
    const begun = early ? garden.collect() : undefined;
    const { objects, expected } = await plantGraph(garden, draws, false);
    const stop = begun ?? garden.collect();
    await settles(garden, objects, expected, `seed ${seed}, planted`);
    for (let deletions = 4; deletions > 0; deletions--) {
      const living = objects.filter(({ metadata }) => expected.owners.has(metadata.uid ?? ''));
      if (living.length === 0) break;
      const victim = pick(draws, living);
      const policy = pick(draws, POLICIES);
      await garden.remove(victim, { propagationPolicy: policy });
      expected.delete(victim.metadata.uid ?? '', policy);
      const what = `seed ${seed}, ${policy} deletion of ${victim.kind}/${victim.metadata.name}`;
      await settles(garden, objects, expected, what);
    }
    await stop();
    t.same(await actual(garden, objects), expected.describe(), 'and nothing went on behind that');
  });

  t.test(`many deletions at once, with finalizers of others, seed ${seed}`, async (t) => {
    const garden = await openGarden(t);
    const stop = garden.collect();
    const { objects, expected } = await plantGraph(garden, draws, true);
    await Promise.all(
      objects.map(async (object) => {
        if (below(draws, 4) !== 0 || !expected.owners.has(object.metadata.uid ?? '')) return;
        const policy = below(draws, 2) === 0 ? 'Background' : 'Foreground';
        await garden.remove(object, { propagationPolicy: policy }).catch(() => undefined);
        expected.delete(object.metadata.uid ?? '', policy);
      }),
    );
    // What is let go of goes, in any order.
    const letGo = (metadata: ObjectMeta) =>
      (metadata.finalizers = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== HOLD));
    await settles(garden, objects, expected, `seed ${seed}`, async () => {
      for (const object of objects) {
        const found = await garden.find(object);
        const isHeld = found?.metadata.finalizers?.includes(HOLD) === true;
        if (isHeld && found.metadata.deletionTimestamp !== undefined)
          await garden.change(object, letGo).catch(() => undefined);
      }
    });
    await stop();
    t.same(await actual(garden, objects), expected.describe(), 'and nothing went on behind that');
    const left = await Promise.all(objects.map((object) => garden.find(object)));
    t.notOk(
      left.some((object) => object?.metadata.deletionTimestamp !== undefined),
      'nothing waits',
    );
  });
}
