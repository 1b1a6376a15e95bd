import type { IncomingSnapshot } from '../transport/transport.js';
import type { Applier } from './applier.js';
import type { StateMachine } from './consensus.js';

export interface SnapshotReceiverOptions {
  readonly machine: Pick<StateMachine<unknown>, 'applied' | 'stage'>;
  readonly applier: Pick<Applier<unknown>, 'hold'>;
  /** Why a snapshot is not wanted now; undefined if it is. */
  readonly refusal: (snapshot: IncomingSnapshot) => string | undefined;
  /** It is the machine's state now, and nothing is applied before this returns. */
  readonly onInstalled: (snapshot: IncomingSnapshot) => void;
}

/** Puts another member's state in place of the own one, if it is ahead; one at a time. */
export class SnapshotReceiver {
  readonly #options: SnapshotReceiverOptions;
  #isBusy = false;
  #last: Promise<void> = Promise.resolve();

  constructor(options: SnapshotReceiverOptions) {
    this.#options = options;
  }

  /** While this is so nothing else may change the log. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Rejects when it is not wanted or does not arrive whole. */
  async receive(snapshot: IncomingSnapshot): Promise<void> {
    if (this.#isBusy) throw new Error('another snapshot is being taken in');
    this.#checkWanted(snapshot);
    this.#isBusy = true;
    const installed = this.#install(snapshot).finally(() => (this.#isBusy = false));
    this.#last = installed.catch(() => undefined);
    await installed;
  }

  /** Resolves when the machine is left alone. */
  idle(): Promise<void> {
    return this.#last;
  }

  async #install(snapshot: IncomingSnapshot): Promise<void> {
    const { machine, applier, onInstalled } = this.#options;
    const staged = await machine.stage(snapshot);
    const letGo = await applier.hold();
    try {
      const isNews = snapshot.index > machine.applied.index;
      if (!isNews || this.#options.refusal(snapshot) !== undefined) {
        await staged.discard();
        return;
      }
      await staged.install();
      onInstalled(snapshot);
    } finally {
      letGo();
    }
  }

  #checkWanted(snapshot: IncomingSnapshot): void {
    const refusal = this.#options.refusal(snapshot);
    if (refusal !== undefined) throw new Error(refusal);
  }
}
