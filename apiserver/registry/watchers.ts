/** The watchers of one resource, found by what they watch, so that a change costs nothing to those it does not concern. */
import type { Change } from './change.js';
import type { Scope } from './keys.js';
import type { CacheWatcher } from './watcher.js';

export class Watchers {
  private readonly all = new Set<CacheWatcher>();
  private readonly wide = new Set<CacheWatcher>();
  private readonly byNamespace = new Map<string, Set<CacheWatcher>>();
  private readonly byKey = new Map<string, Set<CacheWatcher>>();
  private woken: CacheWatcher[] = [];

  constructor(private readonly onError: (error: unknown) => void) {}

  get size(): number {
    return this.all.size;
  }

  [Symbol.iterator](): Iterator<CacheWatcher> {
    return this.all.values();
  }

  add(watcher: CacheWatcher): void {
    this.all.add(watcher);
    const [map, name] = this.bucketOf(watcher.scope);
    if (map === undefined) {
      this.wide.add(watcher);
      return;
    }
    const bucket = map.get(name);
    if (bucket === undefined) map.set(name, new Set([watcher]));
    else bucket.add(watcher);
  }

  remove(watcher: CacheWatcher): void {
    this.all.delete(watcher);
    const [map, name] = this.bucketOf(watcher.scope);
    const bucket = map?.get(name) ?? this.wide;
    bucket.delete(watcher);
    if (bucket.size === 0) map?.delete(name);
  }

  notify(change: Change, seq: number): void {
    for (const bucket of [this.wide, this.byNamespace.get(change.namespace), this.byKey.get(change.key)]) {
      if (bucket === undefined) continue;
      for (const watcher of bucket) if (watcher.notify(seq, change.revision)) this.wake(watcher);
    }
  }

  /**
   * Calls `onReady` soon: not within the apply that made the change, whose writer waits for it, and once for all changes
   * of this turn of the event loop.
   */
  wake(watcher: CacheWatcher): void {
    if (this.woken.length === 0) setImmediate(() => this.callWoken());
    this.woken.push(watcher);
  }

  private callWoken(): void {
    const { woken } = this;
    this.woken = [];
    for (const watcher of woken) {
      try {
        watcher.onReady?.();
      } catch (error) {
        this.onError(error);
      }
    }
  }

  private bucketOf({ key, namespace }: Scope): [Map<string, Set<CacheWatcher>> | undefined, string] {
    if (key !== undefined) return [this.byKey, key];
    return namespace === '' ? [undefined, ''] : [this.byNamespace, namespace];
  }
}
