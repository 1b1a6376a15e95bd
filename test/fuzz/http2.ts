/** Requests over HTTP/2, many at a time on a few sessions. */
import { connect, constants, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import type { Answer } from './answers.js';
import { problemsOfEvents } from './checker.js';
import type { Endpoints } from './endpoints.js';
import type { FuzzCase } from './generator.js';
import type { Message } from './message.js';
import { ANSWER_MS_MAX, now, type OnOutcome, Slots } from './outcome.js';

type RequestCase = Extract<FuzzCase, { kind: 'request' }>;

export interface Http2Options {
  readonly endpoints: Endpoints;
  readonly sessions: number;
  /** Requests that one session has under way. */
  readonly streams: number;
  readonly onOutcome: OnOutcome;
}

/** Requests after which a session is ended and another one begins. */
const SESSION_REQUESTS_MAX = 5000;
const WATCH_MS_MAX = 60;

/** HTTP/2 has its own words for these. */
const notOfHttp2: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'upgrade',
  'expect',
  'transfer-encoding',
  'content-length',
  'keep-alive',
]);

export class Http2Sessions {
  readonly #slots: Slots;
  readonly #sessions: { session: ClientHttp2Session; requests: number }[] = [];
  #next = 0;

  constructor(private readonly options: Http2Options) {
    this.#slots = new Slots(options.sessions * options.streams);
  }

  async submit(request: RequestCase): Promise<void> {
    await this.#slots.take();
    void this.#run(request);
  }

  async #run(request: RequestCase): Promise<void> {
    const sentAt = now();
    const { answers, problems } = await this.#send(request);
    this.#slots.give();
    this.options.onOutcome({ case: request, answers, problems, sentAt, endedAt: now() });
  }

  async close(): Promise<void> {
    await this.#slots.allFree();
    for (const { session } of this.#sessions) session.destroy();
  }

  #session(): ClientHttp2Session {
    const { endpoints, sessions } = this.options;
    const at = this.#next++ % sessions;
    let entry = this.#sessions[at];
    const ends = entry?.session.closed || entry?.session.destroyed;
    if (entry === undefined || ends || entry.requests >= SESSION_REQUESTS_MAX) {
      entry?.session.close();
      const { ca, cert, key, securePort } = endpoints;
      const session = connect(`https://127.0.0.1:${securePort}`, { ca, cert, key });
      session.on('error', () => undefined);
      entry = { session, requests: 0 };
      this.#sessions[at] = entry;
    }
    entry.requests += 1;
    return entry.session;
  }

  #send({ message, endless, index }: RequestCase): Promise<{ answers: Answer[]; problems: string[] }> {
    return new Promise((resolve) => {
      const stream = this.#session().request(headersOf(message), { endStream: message.body.length === 0 });
      let head: Pick<Answer, 'status' | 'headers'> | undefined;
      const pieces: Buffer[] = [];
      let cut = false;
      const timer = setTimeout(() => finish([], [`no answer in ${ANSWER_MS_MAX} ms`]), ANSWER_MS_MAX);
      const finish = (answers: Answer[], problems: string[]) => {
        clearTimeout(timer);
        if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
        resolve({ answers, problems });
      };
      stream.on('error', (error) =>
        finish([], [cut ? '' : `the stream failed: ${error.message}`].filter(Boolean)),
      );
      stream.on('response', (headers) => {
        head = { status: headers[':status'] ?? 0, headers: headersIn(headers) };
        // What says how long it is, or is compressed, comes to its end.
        if (!endless || head.status !== 200) return;
        if (head.headers.has('content-length') || head.headers.has('content-encoding')) return;
        setTimeout(
          () => {
            if (stream.closed) return;
            cut = true;
            finish([], problemsOfEvents(Buffer.concat(pieces)));
          },
          (index * 7) % WATCH_MS_MAX,
        );
      });
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('close', () => {
        if (cut) return;
        if (head === undefined) return finish([], ['the stream ended without an answer']);
        finish([{ ...head, body: Buffer.concat(pieces) }], []);
      });
      if (message.body.length > 0) stream.end(message.body);
    });
  }
}

function headersOf({ method, target, headers }: Message): OutgoingHttpHeaders {
  const made: OutgoingHttpHeaders = { ':method': method, ':path': target };
  const authority = headers.find(([name]) => name === 'Host')?.[1];
  if (authority !== undefined && authority !== '') made[':authority'] = authority;
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    // Node wants some of them once only.
    if (!notOfHttp2.has(lower))
      Object.defineProperty(made, lower, { value, enumerable: true, configurable: true, writable: true });
  }
  return made;
}

function headersIn(headers: Readonly<Record<string, unknown>>): Map<string, readonly string[]> {
  return new Map(
    Object.entries(headers)
      .filter(([name]) => !name.startsWith(':'))
      .map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : [String(value)]]),
  );
}
