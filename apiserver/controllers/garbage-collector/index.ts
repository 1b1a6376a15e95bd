/**
 * The garbage collector: removes what was owned by what is gone, and finishes deletions that wait for their dependents
 * or orphan them. Monitors tell a graph of all objects, the graph says which of them something has happened to, and the
 * collector reads, decides and writes.
 */
import { controllerContext } from '../context.js';
import type { Controller } from '../controller.js';
import { coreRegistry } from '../registries.js';
import { WorkQueue } from '../work-queue.js';
import { AbsentOwners } from './absent-owners.js';
import { Collector } from './collector.js';
import { Graph } from './graph.js';
import { Kinds } from './kinds.js';
import { MisplacedOwners } from './misplaced-owners.js';
import { Monitors } from './monitors.js';
import type { Node } from './node.js';

const NAME = 'garbage-collector-controller';
/** As upstream names its account. */
const ACCOUNT = 'generic-garbage-collector';
/** Nodes looked at at the same time. Upstream's number. */
const WORKERS = 20;
/** What cannot be deleted, since admission refuses it, say, is not tried more often. */
const BACKOFF_MS_MAX = 60_000;

const contextOf = (signal: AbortSignal) => controllerContext(ACCOUNT, signal);

export const garbageCollector: Controller = {
  name: NAME,
  async run({ table, logger, signal }) {
    const context = contextOf(signal);
    const kinds = new Kinds(table);
    const absentOwners = new AbsentOwners();
    const misplaced = new MisplacedOwners({
      namespaces: coreRegistry(table, 'namespaces'),
      events: coreRegistry(table, 'events'),
      context,
      onError: (error) => logger.debug({ err: error }, 'cannot write an event'),
    });
    let synced = Promise.resolve();
    const queue: WorkQueue<Node> = new WorkQueue({
      signal,
      workers: WORKERS,
      backoffMsMax: BACKOFF_MS_MAX,
      async reconcile(node) {
        // What has not been seen yet may own, or be owned.
        await synced;
        return collector.look(node);
      },
      onError: ({ coordinates, namespace }, error) =>
        logger.warn({ err: error, ...coordinates, namespace }, 'cannot collect garbage'),
    });
    const graph = new Graph({
      isNamespaced: (kind) => kinds.find(kind)?.definition.namespaced ?? true,
      onWork: (node) => queue.add(node),
      onGone: (owner) => absentOwners.add(owner, 'gone'),
    });
    const monitors = new Monitors({ table, logger, graph, contextOf, signal });
    const collector = new Collector({ graph, kinds, monitors, absentOwners, misplaced, context, logger });
    const unsubscribe = table.onChange(() => {
      kinds.changed();
      monitors.update();
      for (const node of graph.takeParked()) queue.add(node);
    });
    monitors.update();
    synced = monitors.synced();
    await aborted(signal);
    unsubscribe();
    await monitors.ended();
    await queue.idle();
  },
};

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
