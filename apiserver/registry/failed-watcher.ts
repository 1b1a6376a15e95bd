/**
 * A watch that ends as it begins. Once a request itself is good, whatever keeps its watch from beginning is told in the
 * stream and not in place of it, as upstream has it: clients treat the two alike only there.
 */
import type { StatusError } from '../errors.js';
import type { Watcher, WatchEvent } from './types.js';

export class FailedWatcher implements Watcher {
  onReady: (() => void) | undefined;
  readonly isCaughtUp = false;
  private failure: StatusError | undefined;

  constructor(failure: StatusError) {
    this.failure = failure;
  }

  read(): readonly WatchEvent[] {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
    return [];
  }

  close(): void {
    this.failure = undefined;
  }
}
