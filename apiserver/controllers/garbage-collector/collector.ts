/**
 * What is done about a node of the graph that something has happened to, by upstream's rules: an object goes when all
 * its owners are gone, loses the references to those that are gone when others are not, and itself goes on when those
 * that it waits for have gone or no longer refer to it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { removeFinalizer } from '../change.js';
import { hasReason } from '../registries.js';
import { FOREGROUND, ORPHAN, seen } from './metadata.js';
import type { Node } from './node.js';
import { classifyOwners, findObject, type OwnersOptions } from './owners.js';
import { deleteObject, type Policy, removeReferences, type Target, unblockOwners } from './writes.js';

/** Dependents of one owner that are orphaned at the same time. */
const ORPHANS_AT_ONCE = 16;

export interface CollectorOptions extends OwnersOptions {
  readonly logger: Logger;
}

export class Collector {
  constructor(private readonly options: CollectorOptions) {}

  /** False: to be looked at again later. Throws StatusError, after which the same holds. */
  async look(node: Node): Promise<boolean> {
    if (node.gone) return true;
    try {
      if (node.resource === undefined) return await this.verify(node);
      if (node.orphans) return await this.orphan(node);
      if (node.foreground) return await this.finish(node);
      if (node.deleting || node.owners.length === 0) return true;
      return await this.collect(node);
    } catch (error) {
      // Somebody was faster, and the graph is told what that was.
      if (hasReason(error, 'Conflict')) return false;
      if (!hasReason(error, 'NotFound')) throw error;
      await this.verify(node);
      return node.gone;
    }
  }

  /** Whether the object is there that is known from references, or from long ago. */
  private async verify(node: Node): Promise<boolean> {
    const { graph, kinds, monitors, context } = this.options;
    const { uid, coordinates, resource } = node;
    const registry = kinds.find(coordinates);
    if (registry === undefined) return this.park(node);
    const { namespaced } = registry.definition;
    // Only cluster-scoped objects name it, which cannot be.
    if (namespaced && node.namespace === '') return true;
    const namespace = namespaced ? node.namespace : '';
    const item = await findObject({ registry, context, uid, namespace, name: coordinates.name });
    // Meanwhile it may have turned out to be somewhere else than its first reference says.
    if (node.gone || node.resource !== resource) return true;
    if (item === undefined) {
      graph.remove(uid);
      return true;
    }
    const followed = monitors.of(registry);
    // Nobody tells of its end.
    if (followed === undefined) return false;
    graph.identify(node, followed, seen(item));
    return true;
  }

  private async collect(node: Node): Promise<boolean> {
    const target = this.targetOf(node);
    if (target === undefined) return this.park(node);
    const item = await findObject(target);
    if (item === undefined) {
      this.options.graph.remove(node.uid);
      return true;
    }
    const object = seen(item);
    if (object.deleting || object.owners.length === 0) return true;
    const owners = await classifyOwners(this.options, node, object.owners);
    if (owners === 'unknown') return this.park(node);
    if (owners === 'invalid') return true;
    const { solid, absent, waiting } = owners;
    if (solid.size > 0) {
      if (absent.size + waiting.size > 0)
        await removeReferences(target, new Set([...absent, ...waiting]), item);
      return true;
    }
    let state = item;
    let policy = policyOf(object.finalizers);
    for (const uid of waiting) await this.learnDependents(this.options.graph.get(uid));
    if (waiting.size > 0 && node.dependents.size > 0) {
      policy = 'Foreground';
      if (ownsWaiting(node)) state = await unblockOwners(target, item);
    }
    this.options.logger.debug(
      { ...node.coordinates, namespace: node.namespace, policy },
      'deleting an object without owners',
    );
    await deleteObject(target, state, policy);
    return true;
  }

  /** Deleted in the foreground: it goes when no dependent blocks it; the graph says when the last one has gone. */
  private async finish(node: Node): Promise<boolean> {
    const isBlocked = () => node.gone || !node.foreground || node.blocking > 0;
    if (isBlocked()) return true;
    await this.learnDependents(node);
    if (isBlocked()) return true;
    const target = this.targetOf(node);
    if (target === undefined) return this.park(node);
    await removeFinalizer(target.registry, target.context, target, FOREGROUND);
    return true;
  }

  /** Its dependents lose their references to it, then it goes. */
  private async orphan(node: Node): Promise<boolean> {
    // Who is forgotten here would be deleted afterwards.
    await this.learnDependents(node);
    if (node.gone || !node.orphans) return true;
    const target = this.targetOf(node);
    if (target === undefined) return this.park(node);
    const owner = new Set([node.uid]);
    await forEach(node.dependents.keys(), async (dependent) => {
      const orphan = this.targetOf(dependent);
      // Of a kind that is no longer served: nobody sees the reference.
      if (orphan === undefined) return;
      try {
        await removeReferences(orphan, owner);
      } catch (error) {
        if (!hasReason(error, 'NotFound') && !(await this.isAnother(orphan))) throw error;
      }
    });
    await removeFinalizer(target.registry, target.context, target, ORPHAN);
    return true;
  }

  /** Waits until all objects are in the graph that were there when the owner's deletion began. */
  private async learnDependents(owner: Node | undefined): Promise<void> {
    if (owner === undefined || owner.complete) return;
    await this.options.monitors.caughtUp();
    owner.complete = true;
  }

  /** Another object has its name by now. */
  private async isAnother(target: Target): Promise<boolean> {
    return (await findObject(target)) === undefined;
  }

  private targetOf({ uid, resource, coordinates, namespace }: Node): Target | undefined {
    const registry = resource?.registry ?? this.options.kinds.find(coordinates);
    // Warnings are of one write.
    const context = { ...this.options.context, warnings: [] };
    return registry && { registry, context, uid, namespace, name: coordinates.name };
  }

  private park(node: Node): true {
    node.parked = true;
    return true;
  }
}

/** Whoever deletes the object honours what an earlier deletion, or its maker, has asked for. */
function policyOf(finalizers: readonly string[]): Policy {
  if (finalizers.includes(ORPHAN)) return 'Orphan';
  return finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background';
}

/** One of its dependents waits for dependents itself, maybe for this very node: around a circle nobody would ever go. */
function ownsWaiting({ dependents }: Node): boolean {
  for (const dependent of dependents.keys()) if (dependent.foreground) return true;
  return false;
}

async function forEach(nodes: Iterable<Node>, work: (node: Node) => Promise<void>): Promise<void> {
  const rest = [...nodes].values();
  const worker = async () => {
    for (const node of rest) {
      await work(node);
      await nextTurn();
    }
  };
  await Promise.all(Array.from({ length: ORPHANS_AT_ONCE }, worker));
}
