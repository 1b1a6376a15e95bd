/** Follows the objects of a resource: the present ones as ADDED, then each change, over whatever ends a watch. */
import { setTimeout as sleep } from 'node:timers/promises';
import { everything, parseFieldSelector } from '../registry/selectors/index.js';
import type { Registry, WatchEvent, Watcher } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { Turns } from './turns.js';

/** Events told at once, and in one turn of the event loop by all followers: each costs up to some 40 microseconds. */
const EVENTS_AT_ONCE_MAX = 50;
const EVENTS_A_TURN = 100;
const RETRY_MS = 500;

export interface FollowOptions {
  readonly registry: Registry;
  readonly context: RequestContext;
  /** This object alone; absent: all. */
  readonly only?: { readonly namespace: string; readonly name: string };
  readonly onEvent: (event: WatchEvent) => void;
  /** Told why a watch ended; another one begins soon. */
  readonly onError: (error: unknown) => void;
  /** A watch begins: every object comes as ADDED; what is gone since the last watch does not come at all. */
  readonly onStart?: () => void;
  /** All objects that were there when the watch began have been told of. */
  readonly onSynced?: () => void;
}

const turns = new Turns(EVENTS_A_TURN);

/** Runs until the context's signal aborts. After a lost watch every object comes again as ADDED. */
export const follow = (options: FollowOptions): Promise<void> => new Follower(options).run();

export class Follower {
  private watcher: Watcher | undefined;
  private synced = false;
  private waiting: (() => void)[] = [];

  constructor(private readonly options: FollowOptions) {}

  /** Runs until the context's signal aborts. */
  async run(): Promise<void> {
    const { registry, context, only, onError } = this.options;
    const fields =
      only === undefined ? everything : parseFieldSelector(`metadata.name=${only.name}`, registry.definition);
    const request = { allowBookmarks: false, labels: everything, fields };
    while (!context.signal.aborted) {
      try {
        this.options.onStart?.();
        await this.drain(await registry.watch(context, only?.namespace ?? '', request));
      } catch (error) {
        if (context.signal.aborted) break;
        onError(error);
        await sleep(RETRY_MS, undefined, { signal: context.signal, ref: false }).catch(() => undefined);
      }
    }
    this.release();
  }

  /** Resolves when everything has been told of that the cache has by now, or the signal has aborted. */
  async caughtUp(): Promise<void> {
    if (this.isCaughtUp || this.options.context.signal.aborted) return;
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private get isCaughtUp(): boolean {
    return this.synced && this.watcher?.isCaughtUp === true;
  }

  private async drain(watcher: Watcher): Promise<void> {
    const { signal } = this.options.context;
    const bell = new Bell();
    watcher.onReady = () => bell.ring();
    const stop = () => bell.ring();
    signal.addEventListener('abort', stop);
    this.watcher = watcher;
    try {
      while (!signal.aborted) {
        if (turns.isFull) {
          await turns.wait();
          continue;
        }
        const events = watcher.read(EVENTS_AT_ONCE_MAX);
        turns.done(events.length);
        for (const event of events) this.options.onEvent(event);
        if (events.length === 0) {
          if (watcher.isCaughtUp) this.reached();
          await bell.rung();
        }
      }
    } finally {
      this.watcher = undefined;
      this.synced = false;
      signal.removeEventListener('abort', stop);
      watcher.close();
    }
  }

  private reached(): void {
    if (!this.synced) this.options.onSynced?.();
    this.synced = true;
    this.release();
  }

  private release(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Remembers one ring until somebody waits for it. */
class Bell {
  private ringing = false;
  private waiting: (() => void) | undefined;

  ring(): void {
    this.ringing = true;
    this.waiting?.();
  }

  async rung(): Promise<void> {
    if (!this.ringing) await new Promise<void>((resolve) => (this.waiting = resolve));
    this.waiting = undefined;
    this.ringing = false;
  }
}
