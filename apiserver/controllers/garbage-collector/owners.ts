/** Whether the owners that an object names exist. What the graph does not know is asked of the store. */
import type { OwnerReference } from '../../../schemas/definition.js';
import type { Registry, StoredObject } from '../../registry/types.js';
import type { RequestContext } from '../../request.js';
import { hasReason } from '../registries.js';
import type { Absence, AbsentOwners, Owner } from './absent-owners.js';
import type { Graph } from './graph.js';
import type { Kinds } from './kinds.js';
import { seen } from './metadata.js';
import type { MisplacedOwners } from './misplaced-owners.js';
import type { Monitors } from './monitors.js';
import { type Node, sameCoordinates } from './node.js';

export interface Owners {
  /** Uids of owners that exist, and are not going in the foreground. */
  readonly solid: ReadonlySet<string>;
  readonly absent: ReadonlySet<string>;
  /** Of those that are deleted in the foreground, and wait for this object. */
  readonly waiting: ReadonlySet<string>;
}

type Standing = keyof Owners;

export interface OwnersOptions {
  readonly graph: Graph;
  readonly kinds: Kinds;
  readonly monitors: Monitors;
  readonly absentOwners: AbsentOwners;
  readonly misplaced: MisplacedOwners;
  readonly context: RequestContext;
}

/**
 * Classifies the owners. `unknown`: one is of a kind that is not served, so nobody can tell; `invalid`: a cluster-scoped
 * object names a namespaced owner, which is nowhere. Nothing is done about either object. Throws StatusError.
 */
export async function classifyOwners(
  options: OwnersOptions,
  dependent: Node,
  references: readonly OwnerReference[],
): Promise<Owners | 'unknown' | 'invalid'> {
  const owners = { solid: new Set<string>(), absent: new Set<string>(), waiting: new Set<string>() };
  for (const reference of references) {
    const standing =
      standingInGraph(options.graph, dependent, reference) ?? (await ask(options, dependent, reference));
    if (standing === 'unknown' || standing === 'invalid') return standing;
    owners[standing].add(reference.uid);
  }
  return owners;
}

/** The graph may be late, and is told of an owner's end then: that it exists, or waits, is safe to believe. */
function standingInGraph(graph: Graph, dependent: Node, reference: OwnerReference): Standing | undefined {
  const owner = graph.get(reference.uid);
  if (owner?.resource === undefined || !sameCoordinates(owner.coordinates, reference)) return undefined;
  if (owner.namespace !== '' && owner.namespace !== dependent.namespace) return undefined;
  return owner.foreground ? 'waiting' : 'solid';
}

async function ask(
  options: OwnersOptions,
  dependent: Node,
  reference: OwnerReference,
): Promise<Standing | 'unknown' | 'invalid'> {
  const { graph, kinds, monitors, absentOwners, misplaced } = options;
  const registry = kinds.find(reference);
  if (registry === undefined) return 'unknown';
  const { namespaced } = registry.definition;
  if (namespaced && dependent.namespace === '') return 'invalid';
  const owner: Owner = {
    uid: reference.uid,
    coordinates: reference,
    namespace: namespaced ? dependent.namespace : '',
  };
  const found = absentOwners.find(owner) ?? (await askStore(options, registry, owner));
  if (found === 'misplaced') misplaced.tell(dependent, reference);
  if (found === 'misplaced' || found === 'gone') return 'absent';
  const object = seen(found);
  const followed = monitors.of(registry);
  if (followed !== undefined) graph.confirm(dependent, followed, object);
  return object.foreground ? 'waiting' : 'solid';
}

async function askStore(
  { absentOwners, misplaced, context }: OwnersOptions,
  registry: Registry,
  owner: Owner,
): Promise<StoredObject | Absence> {
  const { uid, namespace, coordinates } = owner;
  const item = await findObject({ registry, context, uid, namespace, name: coordinates.name });
  if (item !== undefined) return item;
  const isElsewhere = namespace !== '' && (await misplaced.isElsewhere(registry, owner));
  const absence = isElsewhere ? 'misplaced' : 'gone';
  absentOwners.add(owner, absence);
  return absence;
}

/**
 * The object of this name, if it is the one with this uid. From the cache, but only the store itself can say that there
 * is none. Throws StatusError.
 */
export async function findObject({
  registry,
  context,
  uid,
  namespace,
  name,
}: {
  readonly registry: Registry;
  readonly context: RequestContext;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}): Promise<StoredObject | undefined> {
  for (const options of [{ resourceVersion: 0 }, {}]) {
    try {
      const item = await registry.get(context, namespace, name, options);
      if (seen(item).uid === uid) return item;
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
  }
  return undefined;
}
