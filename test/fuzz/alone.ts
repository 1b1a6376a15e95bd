/** What has a connection of its own: what may end it, what has no end, web sockets, and bytes that are no request. */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, AnswerParser, type Head } from './answers.js';
import { problemsOfEvents } from './checker.js';
import { connectTo, type Endpoints } from './endpoints.js';
import type { FuzzCase } from './generator.js';
import { encodeHttp1 } from './message.js';
import { ANSWER_MS_MAX, now, type OnOutcome, Slots } from './outcome.js';

/** How long a watch is read before it is cut. */
const WATCH_MS_MAX = 60;
const WATCH_BYTES_MAX = 256 * 1024;
/** How long a server that waits for more bytes is waited for. */
const SILENCE_MS = 40;

interface Exchanged {
  readonly answers: readonly Answer[];
  readonly problems: readonly string[];
}

export interface AloneOptions {
  readonly endpoints: Endpoints;
  readonly connections: number;
  readonly onOutcome: OnOutcome;
}

export class Alone {
  readonly #slots: Slots;

  constructor(private readonly options: AloneOptions) {
    this.#slots = new Slots(options.connections);
  }

  async submit(fuzzCase: FuzzCase): Promise<void> {
    await this.#slots.take();
    void this.#run(fuzzCase);
  }

  async #run(fuzzCase: FuzzCase): Promise<void> {
    const sentAt = now();
    const exchanged = await this.#exchange(fuzzCase).catch((error: unknown) => ({
      answers: [],
      problems: [error instanceof Error ? error.message : String(error)],
    }));
    this.#slots.give();
    this.options.onOutcome({ case: fuzzCase, ...exchanged, sentAt, endedAt: now() });
  }

  async #exchange(fuzzCase: FuzzCase): Promise<Exchanged> {
    const over =
      fuzzCase.kind === 'wire'
        ? fuzzCase.over
        : fuzzCase.kind === 'request' && fuzzCase.over === 'tls'
          ? 'tls'
          : 'plain';
    const socket = await connectTo(this.options.endpoints, over);
    try {
      switch (fuzzCase.kind) {
        case 'wire':
          return await bytes(socket, fuzzCase.bytes, over === 'tls-raw');
        case 'socket':
          return await webSocket(socket, fuzzCase);
        default:
          return await request(socket, fuzzCase);
      }
    } finally {
      socket.destroy();
    }
  }

  close(): Promise<void> {
    return this.#slots.allFree();
  }
}

/** Reads until there is an answer, the connection ends, or the time is over. */
function read(
  socket: Socket,
  method: string,
  onHead?: (head: Head, stop: () => void) => void,
  onData?: (piece: Buffer, stop: () => void) => void,
): Promise<Exchanged & { readonly stopped: boolean }> {
  return new Promise((resolve) => {
    const answers: Answer[] = [];
    const finish = (problems: readonly string[], stopped = false) => {
      clearTimeout(timer);
      resolve({ answers, problems, stopped });
    };
    const stop = () => finish([], true);
    const parser = new AnswerParser({
      onHead: (head) => onHead?.(head, stop),
      onData: (piece) => onData?.(piece, stop),
      onAnswer: (answer) => {
        answers.push(answer);
        finish([]);
      },
    });
    parser.sent(method);
    const timer = setTimeout(() => finish([`no answer in ${ANSWER_MS_MAX} ms`]), ANSWER_MS_MAX);
    const guarded = (step: () => void) => {
      try {
        step();
      } catch (error) {
        finish([error instanceof Error ? error.message : String(error)]);
      }
    };
    socket.on('data', (piece: Buffer) => guarded(() => parser.feed(piece)));
    socket.once('close', () =>
      guarded(() => {
        parser.end();
        finish(['the connection ended without an answer']);
      }),
    );
  });
}

/** The events of a watch, perhaps; what says how long it is comes to its end. */
const hasNoEnd = ({ status, headers }: Head): boolean => status === 200 && !headers.has('content-length');

async function request(
  socket: Socket,
  { message, endless, index }: Extract<FuzzCase, { kind: 'request' }>,
): Promise<Exchanged> {
  socket.write(encodeHttp1(message));
  if (!endless) return read(socket, message.method);
  const pieces: Buffer[] = [];
  let bytes = 0;
  let endsNever = false;
  const { answers, problems, stopped } = await read(
    socket,
    message.method,
    (head, stop) => {
      // Not all at once, nor all at the same moment of their lives.
      endsNever = hasNoEnd(head);
      if (endsNever) setTimeout(stop, (index * 7) % WATCH_MS_MAX);
    },
    (piece, stop) => {
      pieces.push(piece);
      bytes += piece.length;
      if (endsNever && bytes > WATCH_BYTES_MAX) stop();
    },
  );
  // An answer in full may be a list after all.
  return stopped ? { answers, problems: problemsOfEvents(Buffer.concat(pieces)) } : { answers, problems };
}

async function webSocket(
  socket: Socket,
  { message, frames, index }: Extract<FuzzCase, { kind: 'socket' }>,
): Promise<Exchanged> {
  socket.write(encodeHttp1(message));
  // Without its handshake it may be a watch.
  const exchanged = await read(socket, message.method, (head, stop) => {
    if (hasNoEnd(head)) setTimeout(stop, (index * 7) % WATCH_MS_MAX);
  });
  if (exchanged.answers[0]?.status !== 101) return exchanged;
  for (const frame of frames) socket.write(frame);
  await sleep((index * 7) % WATCH_MS_MAX);
  return exchanged;
}

/** Whatever comes back until the server has ended the connection or waits for more. */
async function bytes(socket: Socket, sent: Buffer, anything: boolean): Promise<Exchanged> {
  const received: Buffer[] = [];
  const ended = new Promise<boolean>((resolve) => {
    let timer = setTimeout(resolve, SILENCE_MS, false);
    socket.on('data', (piece: Buffer) => {
      received.push(piece);
      clearTimeout(timer);
      timer = setTimeout(resolve, SILENCE_MS, false);
    });
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
  socket.write(sent);
  const closed = await ended;
  if (anything) return { answers: [], problems: [] };
  const answers: Answer[] = [];
  let isHead = false;
  const parser = new AnswerParser({ onAnswer: (answer) => answers.push(answer) });
  try {
    // What it took for a request was perhaps none of ours: an answer to HEAD has a length and no body.
    isHead = /^HEAD /m.test(sent.toString('latin1'));
    if (isHead) parser.sent('HEAD');
    parser.feed(Buffer.concat(received));
    if (closed) parser.end();
  } catch (error) {
    if (!isHead) return { answers, problems: [error instanceof Error ? error.message : String(error)] };
  }
  return { answers, problems: [] };
}
