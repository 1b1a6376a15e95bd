/**
 * Reads YAML as people and programs write it, some hundred times faster than the library: block maps and lists,
 * scalars on one line, literal texts. Whatever else there is in a document (anchors, tags, flow collections, texts over
 * several lines, words that YAML 1.1 has a meaning for, keys that stand twice, anything wrong) makes it give up, and the
 * library reads the document from its beginning: it alone says what is wrong, and what is read here it reads alike.
 */
import { NESTING_MAX } from './duplicates.js';

/** Not an ordinary document. */
export const UNSURE: unique symbol = Symbol('unsure');

/** Characters that are white space to YAML, or none of it, outside of what is read here. */
// oxlint-disable-next-line no-control-regex
const ODD = /[\x00-\x09\x0b-\x1f\x7f\x85\u2028\u2029\ufeff]/;
/** No deeper: each level is a call. */
const DEPTH_MAX = Math.min(200, NESTING_MAX);
/** Of a key, in characters: the library refuses more than 1024. */
const KEY_MAX = 1000;

const PLAIN_KEY = /[A-Za-z_$/][\w./-]*/y;
/** With `: ` and ` #` looked for apart, a text if it begins like this. */
const TEXT_START = /[A-Za-z_/$(^;+.\d\u00a1-\ud7ff\ue000-\ufefe-]/;
const WORDS = /^(?:y|yes|n|no|on|off|true|false|null)$/i;
const NUMBER_START = /[\d+.-]/;
const INTEGER = /^(?:0|-?[1-9]\d{0,14})$/;
const DECIMAL = /^-?(?:0|[1-9]\d{0,9})\.\d{1,5}$/;
/** What no number, in any of YAML 1.1's forms, holds. */
const NO_NUMBER = /[^\dA-Fa-fxXoObeE_.,:+=-]|\..*\.|\d-/;
const SIMPLE_LIST = /^\[[\w./-]+(?:, [\w./-]+)*\]$/;
const ESCAPES = /^(?:[^\\]|\\["\\nrt0])*$/;

class Unsure extends Error {}
const unsure = new Unsure();

/** The value of `text`, or UNSURE. */
export function readOrdinaryYaml(text: string): unknown {
  if (ODD.test(text)) return UNSURE;
  try {
    return new Reader(text).document();
  } catch (error) {
    if (error === unsure) return UNSURE;
    throw error;
  }
}

class Reader {
  /** Where the line begins and ends, and how many spaces it begins with; past the end, the indentation is -1. */
  #start = 0;
  #end = 0;
  #indent = 0;

  constructor(private readonly text: string) {
    this.#readLine(0);
  }

  document(): unknown {
    if (this.#indent === 0 && this.text.startsWith('---', this.#start)) {
      if (this.#end - this.#start !== 3) throw unsure;
      this.#next();
    }
    if (this.#indent !== 0) throw unsure;
    const value = this.#block(0, 0);
    if (!this.#isPastEnd()) throw unsure;
    return value;
  }

  #isPastEnd(): boolean {
    return this.#indent === -1;
  }

  #next(): void {
    this.#readLine(this.#end + 1);
  }

  /** To the line at `from`, or the first one behind that is neither blank nor a comment. */
  #readLine(from: number): void {
    const { text } = this;
    let start = from;
    for (;;) {
      if (start >= text.length) {
        this.#indent = -1;
        return;
      }
      const newline = text.indexOf('\n', start);
      const end = newline === -1 ? text.length : newline;
      let at = start;
      while (text.charCodeAt(at) === SPACE) at += 1;
      if (at < end && text.charCodeAt(at) !== HASH) {
        this.#start = start;
        this.#end = end;
        this.#indent = at - start;
        return;
      }
      start = end + 1;
    }
  }

  /** The collection whose lines stand at `indent`; the present line is its first. */
  #block(indent: number, depth: number): unknown {
    if (depth > DEPTH_MAX) throw unsure;
    return this.#isItem(this.#start + indent) ? this.#list(indent, depth) : this.#map(indent, depth);
  }

  #isItem(at: number): boolean {
    return (
      this.text.charCodeAt(at) === DASH && (at + 1 === this.#end || this.text.charCodeAt(at + 1) === SPACE)
    );
  }

  #list(indent: number, depth: number): unknown[] {
    const items: unknown[] = [];
    while (this.#indent === indent && this.#isItem(this.#start + indent)) {
      let at = this.#start + indent + 1;
      while (this.text.charCodeAt(at) === SPACE) at += 1;
      if (at >= this.#end) items.push(this.#below(indent, false, depth));
      else if (this.#isItem(at) || this.#keyEnd(at) !== -1) {
        // What stands behind the dash is a line of its own, further in.
        this.#indent = at - this.#start;
        items.push(this.#block(this.#indent, depth + 1));
      } else items.push(this.#scalar(at, indent));
    }
    if (this.#indent > indent) throw unsure;
    return items;
  }

  #map(indent: number, depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    while (this.#indent === indent) {
      const at = this.#start + indent;
      if (this.#isItem(at)) break;
      const colon = this.#keyEnd(at);
      if (colon === -1) throw unsure;
      const key = this.#key(at, colon);
      if (key in map) throw unsure;
      let value = colon + 1;
      while (this.text.charCodeAt(value) === SPACE) value += 1;
      map[key] =
        value >= this.#end || this.text.charCodeAt(value) === HASH
          ? this.#below(indent, true, depth)
          : this.#scalar(value, indent);
    }
    if (this.#indent > indent) throw unsure;
    return map;
  }

  /** What belongs to a key, or a dash, with nothing behind it. A list of a key's may stand where the key does. */
  #below(indent: number, ofKey: boolean, depth: number): unknown {
    this.#next();
    if (this.#indent > indent) return this.#block(this.#indent, depth + 1);
    const listHere = ofKey && this.#indent === indent && this.#isItem(this.#start + indent);
    return listHere ? this.#list(indent, depth + 1) : null;
  }

  /** Where the colon behind the key at `at` is; -1 where there is no key. */
  #keyEnd(at: number): number {
    const quote = this.text.charCodeAt(at);
    let end: number;
    if (quote === DOUBLE || quote === SINGLE) end = this.#quoteEnd(at);
    else {
      PLAIN_KEY.lastIndex = at;
      if (!PLAIN_KEY.test(this.text)) return -1;
      end = PLAIN_KEY.lastIndex;
    }
    const isKey =
      this.text.charCodeAt(end) === COLON &&
      (end + 1 === this.#end || this.text.charCodeAt(end + 1) === SPACE);
    return isKey ? end : -1;
  }

  #key(at: number, colon: number): string {
    if (colon - at > KEY_MAX) throw unsure;
    const first = this.text.charCodeAt(at);
    if (first === DOUBLE || first === SINGLE) return this.#quoted(at, colon);
    const key = this.text.slice(at, colon);
    if (WORDS.test(key)) throw unsure;
    return key;
  }

  /** Behind the closing quote of the text that opens at `at`, on the same line. */
  #quoteEnd(at: number): number {
    const { text } = this;
    const quote = text.charCodeAt(at);
    for (let end = at + 1; end < this.#end; end += 1) {
      const code = text.charCodeAt(end);
      if (code === BACKSLASH && quote === DOUBLE) end += 1;
      else if (code === quote) {
        if (quote === DOUBLE || text.charCodeAt(end + 1) !== SINGLE) return end + 1;
        end += 1;
      }
    }
    throw unsure;
  }

  #quoted(at: number, end: number): string {
    const inside = this.text.slice(at + 1, end - 1);
    if (this.text.charCodeAt(at) === SINGLE)
      return inside.includes("'") ? inside.replaceAll("''", "'") : inside;
    if (!inside.includes('\\')) return inside;
    if (!ESCAPES.test(inside)) throw unsure;
    return inside.replaceAll(/\\(.)/g, (_, escape: string) => escapes[escape] ?? escape);
  }

  /** The scalar at `at`, which is all that is left of the line, and the lines of a literal text below `indent`. */
  #scalar(at: number, indent: number): unknown {
    const first = this.text.charCodeAt(at);
    if (first === PIPE) return this.#literal(at, indent);
    let value: unknown;
    if (first === DOUBLE || first === SINGLE) {
      const end = this.#quoteEnd(at);
      this.#nothingBehind(end);
      value = this.#quoted(at, end);
    } else value = this.#plain(at);
    this.#next();
    // A text may go on in the next line, if that is further in.
    if (this.#indent > indent) throw unsure;
    return value;
  }

  /** At most a comment. */
  #nothingBehind(end: number): void {
    let at = end;
    while (this.text.charCodeAt(at) === SPACE) at += 1;
    if (at < this.#end && (at === end || this.text.charCodeAt(at) !== HASH)) throw unsure;
  }

  #plain(at: number): unknown {
    let text = this.text.slice(at, this.#end);
    const comment = text.indexOf(' #');
    if (comment !== -1) text = text.slice(0, comment);
    if (text.endsWith(' ')) text = text.trimEnd();
    if (text === '{}') return {};
    if (text.startsWith('[')) return simpleList(text);
    if (text.includes(': ') || text.endsWith(':')) throw unsure;
    return plainValue(text);
  }

  /** `|`, `|-` or `|+`, and the lines further in than `indent`. */
  #literal(at: number, indent: number): string {
    const { text } = this;
    const mark = text.charCodeAt(at + 1);
    const chomps = mark === DASH || mark === PLUS;
    this.#nothingBehind(chomps ? at + 2 : at + 1);
    let start = this.#end + 1;
    this.#next();
    const inner = this.#indent;
    // Blank lines before the text, and texts that are all blank, have rules of their own.
    if (inner <= indent || this.#start !== start) throw unsure;
    const lines: string[] = [];
    let blank = 0;
    while (start < text.length) {
      const newline = text.indexOf('\n', start);
      const end = newline === -1 ? text.length : newline;
      let content = start;
      while (text.charCodeAt(content) === SPACE) content += 1;
      if (content >= end) {
        if (content - start > inner) throw unsure;
        blank += 1;
      } else {
        if (content - start < inner) {
          if (content - start > indent) throw unsure;
          break;
        }
        for (; blank > 0; blank -= 1) lines.push('');
        lines.push(text.slice(start + inner, end));
      }
      start = end + 1;
    }
    // Of a text that the document ends with, the library counts what is behind the last newline.
    if (start >= text.length && !text.endsWith('\n')) throw unsure;
    this.#readLine(start);
    const joined = lines.join('\n');
    return mark === DASH ? joined : mark === PLUS ? `${joined}${'\n'.repeat(blank + 1)}` : `${joined}\n`;
  }
}

const SPACE = 32;
const DOUBLE = 34;
const HASH = 35;
const SINGLE = 39;
const PLUS = 43;
const DASH = 45;
const COLON = 58;
const BACKSLASH = 92;
const PIPE = 124;

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };

/** `[a, 1]`: of what needs no quotes anywhere. */
function simpleList(text: string): unknown[] {
  if (text === '[]') return [];
  if (!SIMPLE_LIST.test(text)) throw unsure;
  return text.slice(1, -1).split(', ').map(plainValue);
}

function plainValue(text: string): unknown {
  const first = text[0] ?? '';
  if (!TEXT_START.test(first)) throw unsure;
  if (NUMBER_START.test(first)) return numberOrText(text);
  if (text.length > 5 || !WORDS.test(text)) return text;
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (text === 'null') return null;
  throw unsure;
}

function numberOrText(text: string): unknown {
  if (INTEGER.test(text) || DECIMAL.test(text)) return Number(text);
  if (/^-(?: |$)|^[-+]?\.[A-Za-z]/.test(text) || !NO_NUMBER.test(text)) throw unsure;
  return text;
}
