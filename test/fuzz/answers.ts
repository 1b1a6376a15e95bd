/** Reads HTTP/1.1 answers from a connection, and takes nothing that RFC 9112 does not allow a server to send. */

export interface Answer {
  readonly status: number;
  /** Names in lower case, values in the order they came. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Without what carried it over the connection; a content encoding is still on it. */
  readonly body: Buffer;
}

export class MalformedAnswerError extends Error {
  override name = 'MalformedAnswerError';
}

export type Head = Omit<Answer, 'body'>;

export interface AnswerReader {
  /** An answer of more than 1xx begins. */
  readonly onHead?: (head: Head) => void;
  readonly onData?: (piece: Buffer) => void;
  readonly onAnswer: (answer: Answer) => void;
}

/** Where in an answer the reader is. */
type State =
  | { readonly at: 'head' }
  | { readonly at: 'length'; readonly head: Head; left: number }
  | { readonly at: 'chunk-size' | 'trailers' | 'until-close'; readonly head: Head }
  | { readonly at: 'chunk'; readonly head: Head; left: number };

const HEAD_BYTES_MAX = 256 * 1024;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// oxlint-disable-next-line no-control-regex
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export class AnswerParser {
  #input: Buffer = Buffer.alloc(0);
  #state: State = { at: 'head' };
  #pieces: Buffer[] = [];
  /** Of the requests that wait for an answer, in order. */
  readonly #methods: string[] = [];

  constructor(private readonly reader: AnswerReader) {}

  /** A request was sent: answers to HEAD have no body. */
  sent(method: string): void {
    this.#methods.push(method);
  }

  /** @throws MalformedAnswerError */
  feed(bytes: Buffer): void {
    this.#input = this.#input.length === 0 ? bytes : Buffer.concat([this.#input, bytes]);
    while (this.#step());
  }

  /** The server has ended the connection. @throws MalformedAnswerError for half an answer */
  end(): void {
    if (this.#state.at === 'until-close') this.#finish(this.#state.head);
    else if (this.#state.at !== 'head' || this.#input.length > 0) {
      throw new MalformedAnswerError(`the connection ended within an answer (${this.#state.at})`);
    }
  }

  /** False when more bytes are needed. */
  #step(): boolean {
    const state = this.#state;
    switch (state.at) {
      case 'head':
        return this.#head();
      case 'chunk-size':
        return this.#chunkSize(state.head);
      case 'trailers':
        return this.#trailers(state.head);
      case 'until-close':
        this.#take(this.#input.length);
        return false;
      default:
        return this.#counted(state);
    }
  }

  #counted(state: Extract<State, { left: number }>): boolean {
    const length = Math.min(state.left, this.#input.length);
    if (length > 0) this.#take(length);
    state.left -= length;
    if (state.left > 0) return false;
    if (state.at === 'length') {
      this.#finish(state.head);
      return true;
    }
    if (this.#input.length < 2) return false;
    if (this.#input[0] !== 0x0d || this.#input[1] !== 0x0a)
      throw new MalformedAnswerError('a chunk is longer than it says');
    this.#input = this.#input.subarray(2);
    this.#state = { at: 'chunk-size', head: state.head };
    return true;
  }

  #take(length: number): void {
    const piece = this.#input.subarray(0, length);
    this.#input = this.#input.subarray(length);
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.reader.onData?.(piece);
  }

  #line(): string | undefined {
    const end = this.#input.indexOf('\r\n');
    if (end === -1) return undefined;
    const line = this.#input.toString('latin1', 0, end);
    this.#input = this.#input.subarray(end + 2);
    return line;
  }

  #chunkSize(head: Head): boolean {
    const line = this.#line();
    if (line === undefined) return false;
    if (!/^[0-9a-f]{1,8}$/i.test(line))
      throw new MalformedAnswerError(`no size of a chunk: ${JSON.stringify(line)}`);
    const left = Number.parseInt(line, 16);
    this.#state = left === 0 ? { at: 'trailers', head } : { at: 'chunk', head, left };
    return true;
  }

  #trailers(head: Head): boolean {
    const line = this.#line();
    if (line === undefined) return false;
    if (line !== '') throw new MalformedAnswerError('there are trailers');
    this.#finish(head);
    return true;
  }

  #head(): boolean {
    const end = this.#input.indexOf('\r\n\r\n');
    if (end === -1) {
      if (this.#input.length > HEAD_BYTES_MAX) throw new MalformedAnswerError('the head has no end');
      return false;
    }
    const [first = '', ...lines] = this.#input.toString('latin1', 0, end).split('\r\n');
    this.#input = this.#input.subarray(end + 4);
    const status = /^HTTP\/1\.1 ([1-5]\d\d) [\t\x20-\x7e]*$/.exec(first)?.[1];
    if (status === undefined)
      throw new MalformedAnswerError(`no status line: ${JSON.stringify(first.slice(0, 100))}`);
    const head: Head = { status: Number(status), headers: headersOf(lines) };
    // Interim answers come before the one that counts.
    if (head.status < 200 && head.status !== 101) return true;
    this.reader.onHead?.(head);
    this.#begin(head);
    return true;
  }

  #begin(head: Head): void {
    const method = this.#methods.shift() ?? 'GET';
    const length = head.headers.get('content-length');
    const encoding = head.headers.get('transfer-encoding');
    if (length !== undefined && encoding !== undefined)
      throw new MalformedAnswerError('both a length and chunks');
    if (length !== undefined && (length.length > 1 || !/^\d+$/.test(length[0] ?? ''))) {
      throw new MalformedAnswerError(`Content-Length: ${length.join(', ')}`);
    }
    const bodiless = method === 'HEAD' || head.status === 204 || head.status === 304 || head.status === 101;
    if (bodiless) this.#finish(head);
    else if (encoding !== undefined) {
      if (encoding.join() !== 'chunked')
        throw new MalformedAnswerError(`Transfer-Encoding: ${encoding.join()}`);
      this.#state = { at: 'chunk-size', head };
    } else if (length !== undefined) this.#state = { at: 'length', head, left: Number(length[0]) };
    else if (head.headers.get('connection')?.join().toLowerCase() === 'close')
      this.#state = { at: 'until-close', head };
    else throw new MalformedAnswerError('nothing says where the answer ends');
  }

  #finish(head: Head): void {
    const [first, ...rest] = this.#pieces;
    const body =
      first === undefined ? Buffer.alloc(0) : rest.length === 0 ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#state = { at: 'head' };
    this.reader.onAnswer({ ...head, body });
  }
}

function headersOf(lines: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (!TOKEN.test(name) || !VALUE.test(value))
      throw new MalformedAnswerError(`no header: ${JSON.stringify(line.slice(0, 200))}`);
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  return headers;
}
