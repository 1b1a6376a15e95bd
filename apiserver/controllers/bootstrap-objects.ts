/**
 * Makes the objects of bootstrap lists: what is absent is created, what is there is reconciled. It happens when the
 * server is ready already, list after list, a group of objects after the other.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { KubeObject } from '../../schemas/definition.js';
import { type BootstrapList, type BootstrapObject, REPLACE } from '../bootstrap/list.js';
import { everyObjectAtHand } from '../registry/every-object.js';
import type { Registry, ResourceTable, StoredObject, Update, WriteOptions } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { systemContext } from './context.js';
import { createUnlessThere } from './create-unless-there.js';

/** Compared, and written in one group of the store's commits, before requests get their turn. */
const OBJECTS_A_TURN = 16;
const RETRY_MS_FIRST = 100;
const RETRY_MS_MAX = 5000;

export interface BootstrapOptions {
  readonly table: ResourceTable;
  readonly logger: Logger;
  readonly lists: readonly BootstrapList[];
}

/** What there is of one resource, by `namespace/name`. */
interface Present {
  readonly registry: Registry;
  readonly objects: ReadonlyMap<string, StoredObject>;
}

const keyOf = ({ group, plural }: Pick<BootstrapObject, 'group' | 'plural'>): string => `${group}/${plural}`;

export class BootstrapObjects {
  private readonly aborted = new AbortController();
  private readonly context = systemContext('system:apiserver', ['system:masters'], this.aborted.signal);
  private readonly timers: NodeJS.Timeout[] = [];
  private making: Promise<void> = Promise.resolve();
  private checking: Promise<void> = Promise.resolve();
  /** By list, so that the same failure is told once. */
  private readonly told = new Map<string, string>();

  constructor(private readonly options: BootstrapOptions) {}

  /** Resolves when all lists have been made, or when it is stopped. From then on those that say so are looked after. */
  start(): Promise<void> {
    this.making = this.makeAll();
    return this.making;
  }

  async stop(): Promise<void> {
    this.aborted.abort();
    for (const timer of this.timers) clearInterval(timer);
    await Promise.all([this.making, this.checking]);
  }

  /** One after the other, so that requests get their turn between; a list that fails keeps none of the others waiting. */
  private async makeAll(): Promise<void> {
    // Whoever starts it may have something to say first.
    await nextTurn();
    const failed: BootstrapList[] = [];
    for (const list of this.options.lists) if (!(await this.tried(list))) failed.push(list);
    if (this.aborted.signal.aborted) return;
    this.lookAfter();
    await Promise.all(failed.map((list) => this.tryAgain(list)));
  }

  private lookAfter(): void {
    for (const list of this.options.lists) {
      if (list.everyMs === undefined) continue;
      const check = () => {
        this.checking = this.checking.then(async () => void (await this.tried(list)));
      };
      this.timers.push(setInterval(check, list.everyMs).unref());
    }
  }

  private async tryAgain(list: BootstrapList): Promise<void> {
    const { signal } = this.aborted;
    let pauseMs = RETRY_MS_FIRST;
    do {
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
      pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX);
    } while (!signal.aborted && !(await this.tried(list)));
  }

  /** False where something is not as it should be yet. */
  private async tried(list: BootstrapList): Promise<boolean> {
    try {
      await this.ensure(list);
      this.told.delete(list.name);
      return true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!this.aborted.signal.aborted && message !== this.told.get(list.name)) {
        this.told.set(list.name, message);
        const { logger } = this.options;
        logger.warn({ err: error, list: list.name }, 'cannot make bootstrap objects, will try again');
      }
      return false;
    }
  }

  /** One that is refused keeps none of the others from being made. */
  private async ensure(list: BootstrapList): Promise<void> {
    const wanted = list.objects();
    const present = await this.presentOf(wanted);
    const writes: Promise<PromiseSettledResult<void>[]>[] = [];
    for (let i = 0; i < wanted.length; i += OBJECTS_A_TURN) {
      const group = wanted.slice(i, i + OBJECTS_A_TURN).flatMap((each) => {
        const there = present.get(keyOf(each));
        return there === undefined ? [] : (this.write(there, each, list.fieldManager) ?? []);
      });
      writes.push(Promise.allSettled(group));
      await nextTurn();
    }
    const outcomes = (await Promise.all(writes)).flat();
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** By resource; nothing of those that are not served. All read before anything is written. */
  private async presentOf(wanted: readonly BootstrapObject[]): Promise<ReadonlyMap<string, Present>> {
    const found = new Map<string, Present>();
    for (const { group, plural } of wanted) {
      const key = keyOf({ group, plural });
      const registry = this.options.table.find(group, 'v1', plural);
      if (registry === undefined || found.has(key)) continue;
      const { items } = await registry.list(this.context, '', everyObjectAtHand);
      found.set(key, { registry, objects: new Map(items.map((item) => [item.key, item])) });
    }
    return found;
  }

  /** Undefined where all is well. */
  private write(
    { registry, objects }: Present,
    { object, reconcile }: BootstrapObject,
    fieldManager: string | undefined,
  ): Promise<void> | undefined {
    const { context } = this;
    const { name = '', namespace = '' } = object.metadata;
    const options = fieldManager === undefined ? {} : { fieldManager };
    const found = objects.get(namespace === '' ? name : `${namespace}/${name}`);
    if (found === undefined) {
      return createUnlessThere(registry, context, structuredClone(object), options);
    }
    const next = reconcile?.(found.object, object);
    if (reconcile === undefined || next === undefined) return undefined;
    if (next === REPLACE) return replace(registry, context, found, object, options);
    const update: Update = (current) => {
      const again = current && reconcile(current, object);
      // What would have to make way by now is left to the next check.
      return again === undefined || again === REPLACE ? (current ?? structuredClone(object)) : again;
    };
    return registry.update(context, namespace, name, update, options).then(() => undefined);
  }
}

/** The one that was seen goes, not one that has come in its place. */
async function replace(
  registry: Registry,
  context: RequestContext,
  { namespace, name, object: { metadata } }: StoredObject,
  wanted: KubeObject,
  options: WriteOptions,
): Promise<void> {
  const { uid = '' } = metadata;
  await registry.delete(context, namespace, name, { preconditions: { uid } });
  await createUnlessThere(registry, context, structuredClone(wanted), options);
}
