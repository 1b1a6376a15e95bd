/**
 * What Go's decoder says of a text that is not JSON. Clients and people match these messages, and V8's differ, so on
 * the error path the text is read once more by a scanner that stops at the same byte as Go's and names it likewise.
 */

const END = 'unexpected end of JSON input';
const DIGIT = /[0-9]/;
const HEX = /[0-9a-fA-F]/;

class Problem extends Error {}

/** Go's message for a text that `JSON.parse` has refused. */
export function jsonSyntaxProblem(text: string): string {
  try {
    new Scanner(text).document();
  } catch (error) {
    if (error instanceof Problem) return error.message;
    throw error;
  }
  return END;
}

/** How Go names the JSON type of a value: `cannot unmarshal number into …`. */
export function jsonTypeName(value: unknown): 'null' | 'array' | 'object' | 'string' | 'number' | 'bool' {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : 'object';
}

/** Keeps no stack of calls: a body of brackets must not overflow ours. */
class Scanner {
  #position = 0;

  constructor(private readonly text: string) {}

  document(): void {
    const open: ('{' | '[')[] = [];
    for (;;) {
      if (this.#valueOrOpen(open)) continue;
      if (!this.#close(open)) break;
    }
    this.#space();
    if (this.#position < this.text.length) this.#refuse('after top-level value');
  }

  /** Reads a scalar, an empty container, or the start of one; true when a value must follow. */
  #valueOrOpen(open: ('{' | '[')[]): boolean {
    this.#space();
    const char = this.#peek();
    if (char === '{') {
      this.#position++;
      this.#space();
      if (this.#peek() === '}') this.#position++;
      else {
        this.#key();
        open.push('{');
        return true;
      }
    } else if (char === '[') {
      this.#position++;
      this.#space();
      if (this.#peek() === ']') this.#position++;
      else {
        open.push('[');
        return true;
      }
    } else {
      this.#scalar(char);
    }
    return false;
  }

  /** After a value: a comma (true: another value follows), or the ends of the containers it was last in. */
  #close(open: ('{' | '[')[]): boolean {
    while (open.length > 0) {
      this.#space();
      const inside = open.at(-1);
      const char = this.#peek();
      if (char === ',') {
        this.#position++;
        if (inside === '{') this.#key();
        return true;
      }
      if (char !== (inside === '{' ? '}' : ']')) {
        this.#refuse(inside === '{' ? 'after object key:value pair' : 'after array element');
      }
      this.#position++;
      open.pop();
    }
    return false;
  }

  #key(): void {
    this.#space();
    if (this.#peek() !== '"') this.#refuse('looking for beginning of object key string');
    this.#string();
    this.#space();
    if (this.#peek() !== ':') this.#refuse('after object key');
    this.#position++;
  }

  #scalar(char: string): void {
    if (char === '"') this.#string();
    else if (char === '-' || DIGIT.test(char)) this.#number();
    else if (char === 't') this.#word('true');
    else if (char === 'f') this.#word('false');
    else if (char === 'n') this.#word('null');
    else this.#refuse('looking for beginning of value');
  }

  #string(): void {
    this.#position++;
    for (;;) {
      const char = this.#peek();
      if (char < ' ') this.#refuse('in string literal');
      this.#position++;
      if (char === '"') return;
      if (char !== '\\') continue;
      const escape = this.#next();
      if (!'"\\/bfnrtu'.includes(escape)) this.#refuse('in string escape code');
      this.#position++;
      for (let digits = escape === 'u' ? 4 : 0; digits > 0; digits--, this.#position++) {
        if (!HEX.test(this.#next())) this.#refuse('in \\u hexadecimal character escape');
      }
    }
  }

  #number(): void {
    if (this.#next() === '-') this.#position++;
    if (!DIGIT.test(this.#next())) this.#refuse('in numeric literal');
    if (this.#next() === '0') this.#position++;
    else this.#digits();
    if (this.#next() === '.') {
      this.#position++;
      if (!DIGIT.test(this.#next())) this.#refuse('after decimal point in numeric literal');
      this.#digits();
    }
    if (/[eE]/.test(this.#next())) {
      this.#position++;
      if (/[+-]/.test(this.#next())) this.#position++;
      if (!DIGIT.test(this.#next())) this.#refuse('in exponent of numeric literal');
      this.#digits();
    }
  }

  #digits(): void {
    while (DIGIT.test(this.#next())) this.#position++;
  }

  #word(word: string): void {
    for (const expected of word) {
      if (this.#next() !== expected) this.#refuse(`in literal ${word} (expecting '${expected}')`);
      this.#position++;
    }
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.text[this.#position] ?? '')) this.#position++;
  }

  #peek(): string {
    const char = this.text[this.#position];
    if (char === undefined) throw new Problem(END);
    return char;
  }

  /** Inside a literal, the end of the text is a space to Go. */
  #next(): string {
    return this.text[this.#position] ?? ' ';
  }

  #refuse(where: string): never {
    throw new Problem(`invalid character ${quoteByte(this.#next())} ${where}`);
  }
}

/** Go reads bytes and prints the one it stopped at as if it were a character. */
function quoteByte(char: string): string {
  const byte = Buffer.from(char)[0] ?? 0;
  const named: Record<number, string> = {
    7: 'a',
    8: 'b',
    9: 't',
    10: 'n',
    11: 'v',
    12: 'f',
    13: 'r',
    39: "'",
    92: '\\',
  };
  const escape = named[byte];
  if (escape !== undefined) return `'\\${escape}'`;
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, '0')}'`;
  if ((byte >= 0x80 && byte < 0xa1) || byte === 0xad) return `'\\u${byte.toString(16).padStart(4, '0')}'`;
  return `'${String.fromCharCode(byte)}'`;
}
