/** Follows every resource whose objects can be garbage, as resources come and go, and tells the graph of their objects. */
import type { Logger } from 'pino';
import type { ResourceDefinition } from '../../../schemas/definition.js';
import { apiVersionOf } from '../../registry/canonical.js';
import type { Registry, ResourceTable, WatchEvent } from '../../registry/types.js';
import type { RequestContext } from '../../request.js';
import { Follower } from '../follow.js';
import { hasReason } from '../registries.js';
import type { Graph } from './graph.js';
import { seen } from './metadata.js';
import type { Followed } from './node.js';

const VERBS = ['delete', 'list', 'watch'] as const;
/** No object has it: who asks for it learns how far the store is. */
const NO_NAME = '-';

export interface MonitorsOptions {
  readonly table: ResourceTable;
  readonly logger: Logger;
  readonly graph: Graph;
  readonly contextOf: (signal: AbortSignal) => RequestContext;
  /** Ends all. */
  readonly signal: AbortSignal;
}

interface Monitor {
  readonly followed: Followed;
  readonly follower: Follower;
  readonly context: RequestContext;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Events come and go by themselves and may own nothing; another resource's objects are followed there. */
const isFollowed = ({ definition }: Registry): boolean =>
  VERBS.every((verb) => definition.verbs.includes(verb)) &&
  definition.virtual !== true &&
  definition.storedAs === undefined &&
  definition.timeToLiveSeconds === undefined;

/** All versions of a resource are the same objects. */
const keyOf = (definition: ResourceDefinition): string =>
  definition.storedAs?.resource.etcdPrefix ?? definition.etcdPrefix;

export class Monitors {
  private readonly monitors = new Map<string, Monitor>();
  private readonly ending = new Set<Promise<void>>();
  private catchingUp: Promise<void> = Promise.resolve();
  private nextCatchUp: Promise<void> | undefined;

  constructor(private readonly options: MonitorsOptions) {}

  /** Follows what the table has now, and no longer what it had. */
  update(): void {
    const wanted = new Map<string, Registry>();
    for (const registry of this.options.table.all()) {
      const key = keyOf(registry.definition);
      if (isFollowed(registry) && !wanted.has(key)) wanted.set(key, registry);
    }
    for (const [key, monitor] of this.monitors) {
      const registry = wanted.get(key);
      if (registry === monitor.followed.registry) continue;
      this.end(key, monitor);
      if (registry === undefined) this.options.graph.forget(monitor.followed);
      else this.begin(key, registry, monitor.followed);
    }
    for (const [key, registry] of wanted) if (!this.monitors.has(key)) this.begin(key, registry, undefined);
  }

  /** Resolves when the graph knows of all objects that were there when their resources began to be followed. */
  async synced(): Promise<void> {
    await Promise.all([...this.monitors.values()].map(({ follower }) => follower.caughtUp()));
  }

  /** Undefined for what nobody follows. */
  of({ definition }: Registry): Followed | undefined {
    return this.monitors.get(keyOf(definition))?.followed;
  }

  /**
   * Resolves when the graph knows of all that the store had when this was called. Who waits for the same shares a round,
   * but never one that had begun before. Rejects with StatusError.
   */
  caughtUp(): Promise<void> {
    this.nextCatchUp ??= this.catchingUp
      .catch(() => undefined)
      .then(() => {
        this.nextCatchUp = undefined;
        this.catchingUp = this.catchUp();
        return this.catchingUp;
      });
    return this.nextCatchUp;
  }

  /** Resolves when none of what was followed is any more; to be called when the signal has aborted. */
  async ended(): Promise<void> {
    await Promise.all([...this.ending, ...[...this.monitors.values()].map(({ ended }) => ended)]);
  }

  private async catchUp(): Promise<void> {
    await Promise.all(
      [...this.monitors.values()].map(async ({ followed, follower, context }) => {
        await reach(followed.registry, context);
        await follower.caughtUp();
      }),
    );
  }

  private begin(key: string, registry: Registry, before: Followed | undefined): void {
    const { graph, logger, signal, contextOf } = this.options;
    const { definition } = registry;
    const followed = before ?? {
      apiVersion: apiVersionOf(definition),
      kind: definition.kind,
      registry,
      epoch: 0,
    };
    followed.registry = registry;
    const stop = new AbortController();
    const context = contextOf(AbortSignal.any([signal, stop.signal]));
    const follower = new Follower({
      registry,
      context,
      onStart: () => (followed.epoch += 1),
      onEvent: ({ type, item }: WatchEvent) => {
        const object = seen(item);
        if (type === 'DELETED') graph.remove(object.uid);
        else graph.observe(followed, object);
      },
      onSynced: () => graph.recheck(followed),
      onError: (error) => logger.warn({ err: error, resource: definition.plural }, 'cannot watch a resource'),
    });
    this.monitors.set(key, { followed, follower, context, stop, ended: follower.run() });
  }

  private end(key: string, { stop, ended }: Monitor): void {
    this.monitors.delete(key);
    stop.abort();
    this.ending.add(ended);
    void ended.finally(() => this.ending.delete(ended));
  }
}

/** Waits until the resource's cache is as far as the store is now. */
async function reach(registry: Registry, context: RequestContext): Promise<void> {
  try {
    await registry.get(context, '', NO_NAME);
  } catch (error) {
    if (!context.signal.aborted && !hasReason(error, 'NotFound')) throw error;
  }
}
