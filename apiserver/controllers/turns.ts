/** Work in the background takes turns with requests: so much of it in one turn of the event loop, whoever does it. */
import { setImmediate as nextTurn } from 'node:timers/promises';

export class Turns {
  private left: number;
  private next: Promise<void> | undefined;

  /** `pieces` of work fill a turn. */
  constructor(private readonly pieces: number) {
    this.left = pieces;
  }

  /** To be asked again after each wait: who came first may have filled the next turn too. */
  get isFull(): boolean {
    return this.left <= 0;
  }

  done(pieces: number): void {
    this.left -= pieces;
  }

  /** Resolves in another turn of the event loop. */
  wait(): Promise<void> {
    this.next ??= this.begin();
    return this.next;
  }

  private async begin(): Promise<void> {
    await nextTurn();
    this.next = undefined;
    this.left = this.pieces;
  }
}
