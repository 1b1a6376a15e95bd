/** Follows every object of a resource: the present ones as ADDED, then each change, over whatever ends a watch. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry, WatchEvent, Watcher } from '../registry/types.js';
import { everything } from '../registry/selectors/index.js';
import type { RequestContext } from '../request.js';

const EVENTS_AT_ONCE_MAX = 500;
const RETRY_MS = 500;

export interface FollowOptions {
  readonly registry: Registry;
  readonly context: RequestContext;
  readonly onEvent: (event: WatchEvent) => void;
  /** Told why a watch ended; another one begins soon. */
  readonly onError: (error: unknown) => void;
}

/** Runs until the context's signal aborts. After a lost watch every object comes again as ADDED. */
export async function follow(options: FollowOptions): Promise<void> {
  const { registry, context } = options;
  const request = { allowBookmarks: false, labels: everything, fields: everything };
  while (!context.signal.aborted) {
    try {
      await drain(await registry.watch(context, '', request), options);
    } catch (error) {
      if (context.signal.aborted) return;
      options.onError(error);
      await sleep(RETRY_MS, undefined, { signal: context.signal, ref: false }).catch(() => undefined);
    }
  }
}

async function drain(watcher: Watcher, { context, onEvent }: FollowOptions): Promise<void> {
  const bell = new Bell();
  watcher.onReady = () => bell.ring();
  const stop = () => bell.ring();
  context.signal.addEventListener('abort', stop);
  try {
    while (!context.signal.aborted) {
      const events = watcher.read(EVENTS_AT_ONCE_MAX);
      for (const event of events) onEvent(event);
      if (events.length === 0) await bell.rung();
    }
  } finally {
    context.signal.removeEventListener('abort', stop);
    watcher.close();
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
