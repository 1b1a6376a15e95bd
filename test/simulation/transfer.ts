import type { SnapshotHeader } from '../../raft/transport/transport.js';

/** The receiver's end of a snapshot on its way: chunks come in order, until the end or a break. */
export class Transfer {
  readonly #chunks: Uint8Array[] = [];
  #end: 'whole' | Error | undefined;
  #wake: () => void = () => undefined;

  constructor(
    readonly header: SnapshotHeader & {
      readonly from: bigint;
      readonly senderTerm: number;
      readonly size: number;
    },
  ) {}

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#wake();
  }

  finish(): void {
    this.#end ??= 'whole';
    this.#wake();
  }

  break(): void {
    this.#end ??= new Error('the transfer broke');
    this.#wake();
  }

  async *content(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (this.#end === 'whole') return;
      else if (this.#end !== undefined) throw this.#end;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
