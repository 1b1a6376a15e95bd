/** The store's newest revision for consistent reads; requests that wait at the same time share a round. */
import type { EtcdClient } from '../../storage/client/interface.js';

/**
 * A round that takes longer does not keep the next one waiting, in milliseconds. Without a leader it lasts as long as the
 * store lets a request last, and so would the next: who came in between would wait for both.
 */
const SLOW_ROUND_MS = 100;

export class FreshRevision {
  private running: Promise<number> | undefined;
  private next: Promise<number> | undefined;

  constructor(private readonly client: Pick<EtcdClient, 'currentRevision'>) {}

  /**
   * A revision not older than this call. A round that has already begun may have settled its answer before, so a call
   * in the middle of one waits for the round after it, together with all others that do.
   */
  get(): Promise<number> {
    if (this.running === undefined) return this.begin();
    this.next ??= endedOrSlow(this.running).then(() => this.beginNext());
    return this.next;
  }

  private begin(): Promise<number> {
    const round = this.client.currentRevision();
    this.running = round;
    const ended = () => {
      if (this.running === round) this.running = undefined;
    };
    round.then(ended, ended);
    return round;
  }

  private beginNext(): Promise<number> {
    this.next = undefined;
    return this.begin();
  }
}

function endedOrSlow(round: Promise<number>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, SLOW_ROUND_MS);
    const ended = () => {
      clearTimeout(timer);
      resolve();
    };
    round.then(ended, ended);
  });
}
