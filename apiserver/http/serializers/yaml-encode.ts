/** YAML as Go's library writes it: sorted keys, lists at their key's indentation, quotes only where they are needed. */
import type * as Yaml from 'yaml';

/** Plain, these would be read back as something else than a string (YAML 1.1, and times and dates). */
const NOT_A_STRING = [
  /^(?:|~|null|Null|NULL|[yYnN]|[Yy]es|YES|[Nn]o|NO|[Tt]rue|TRUE|[Ff]alse|FALSE|[Oo]n|ON|[Oo]ff|OFF|<<)$/,
  /^[-+]?(?:0x[0-9a-fA-F_]+|0b[01_]+|0o[0-7_]+|[0-9][0-9_]*)$/,
  /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/,
  /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9:.]+.*)?$/,
];
/** Only double quotes can hold these. */
const UNPRINTABLE = /[^\n\x20-\x7e\u0085\u00a0-\ufffd]/;
/** Nothing longer than this is otherwise but what begins like a number. */
const WORD_LENGTH_MAX = 5;
/** What the library is asked about: quotes within, escapes and lines. */
const NEEDS_THOUGHT = /['"\\]|[^\x20-\x7e\u0085\u00a0-\ufffd]/;
/** Of the others, what is in quotes. */
const NOT_PLAIN = /^(?:---|\.\.\.)|^[ ,[\]{}#&*!|>%@`]|^[?-](?: |$)|: | #|[ :]$/;
/** A longer key, in bytes, has a question mark in front. */
const SIMPLE_KEY_BYTES_MAX = 128;
/** Lines that may stand below a `|` as they are: no blanks where a line begins or ends, none that is empty. */
const SURELY_LITERAL = /^[!-~](?:[ -~]*[!-~])?(?:\n[!-~](?:[ -~]*[!-~])?)*\n?$/;

/** `yaml` writes those texts that take some thought; all others take none, and it would take a hundred times as long. */
export function encodeYaml(value: unknown, yaml: () => typeof Yaml): string {
  const writer = new Writer(yaml);
  writer.root(value);
  return writer.text;
}

class Writer {
  text = '';

  constructor(private readonly yaml: () => typeof Yaml) {}

  root(value: unknown): void {
    if (isCollection(value)) this.#lines(value, '', '');
    else this.text = `${this.#scalar(value, '', false)}\n`;
  }

  /** A collection that is not empty, the first of whose lines begins with `first` and all others with `indent`. */
  #lines(value: object, indent: string, first: string): void {
    let start = first;
    if (Array.isArray(value)) {
      for (const item of value as unknown[]) {
        this.text += `${start}-`;
        start = indent;
        if (isCollection(item)) this.#lines(item, `${indent}  `, ' ');
        else this.#inline(item, indent);
      }
      return;
    }
    const members = value as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(members).sort(compareKeys)) {
      const isSimple = key.length <= SIMPLE_KEY_BYTES_MAX && Buffer.byteLength(key) <= SIMPLE_KEY_BYTES_MAX;
      this.text += isSimple
        ? `${start}${this.#scalar(key, '', true)}:`
        : `${start}? ${this.#scalar(key, '', true)}\n${indent}:`;
      start = indent;
      const member = members[key];
      if (!isCollection(member)) this.#inline(member, indent);
      else if (!isSimple) this.#lines(member, `${indent}  `, ' ');
      else {
        this.text += '\n';
        const inner = Array.isArray(member) ? indent : `${indent}  `;
        this.#lines(member, inner, inner);
      }
    }
  }

  /** Behind a key or a dash. */
  #inline(value: unknown, indent: string): void {
    this.text += ` ${this.#scalar(value, indent, false)}\n`;
  }

  #scalar(value: unknown, indent: string, isKey: boolean): string {
    if (typeof value === 'string') return this.#string(value, indent, isKey);
    if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[]' : '{}';
    if (typeof value === 'number' && !Number.isInteger(value)) return this.#byLibrary(value, indent, false);
    return String(value);
  }

  #string(text: string, indent: string, isKey: boolean): string {
    if (!NEEDS_THOUGHT.test(text)) {
      if (isOtherwise(text)) return `"${text}"`;
      return NOT_PLAIN.test(text) ? `'${text}'` : text;
    }
    if (!isKey && text.includes('\n') && SURELY_LITERAL.test(text)) {
      const whole = text.endsWith('\n');
      const lines = whole ? text.slice(0, -1) : text;
      return `${whole ? '|' : '|-'}\n${indent}  ${lines.replaceAll('\n', `\n${indent}  `)}`;
    }
    return this.#byLibrary(text, indent, isKey);
  }

  #byLibrary(value: unknown, indent: string, isKey: boolean): string {
    const yaml = this.yaml();
    // Version 1.2 of the library's own rules: what 1.1 needs quoted is settled here.
    const document = new yaml.Document(isKey ? value : new Map([['k', value]]), { version: '1.2' });
    yaml.visit(document, {
      Scalar(key, node) {
        if (typeof node.value !== 'string') return;
        const style = styleOf(node.value, isKey || key === 'key');
        if (style !== undefined) node.type = style;
      },
    });
    const text = document.toString(OPTIONS);
    const written = text.slice(isKey ? 0 : 'k: '.length, -1);
    return indent === '' ? written : written.replaceAll(/\n(?!\n|$)/g, `\n${indent}`);
  }
}

const OPTIONS = {
  indentSeq: false,
  lineWidth: 0,
  minContentWidth: 0,
  singleQuote: true,
  flowCollectionPadding: false,
  directives: false,
} as const;

/** With lines of its own. */
function isCollection(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  for (const _ in value) return true;
  return false;
}

const isOtherwise = (text: string): boolean =>
  (text.length <= WORD_LENGTH_MAX || /^[-+.\d]/.test(text)) &&
  NOT_A_STRING.some((pattern) => pattern.test(text));

function styleOf(text: string, isKey: boolean): 'QUOTE_DOUBLE' | 'BLOCK_LITERAL' | undefined {
  if (UNPRINTABLE.test(text) || isOtherwise(text)) return 'QUOTE_DOUBLE';
  if (!text.includes('\n')) return undefined;
  return isKey ? 'QUOTE_DOUBLE' : 'BLOCK_LITERAL';
}

/** Go's YAML sorts keys as people do: `p2` before `p10`, punctuation and digits before letters. */
export function compareKeys(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (isSmall(a.charCodeAt(at)) && isSmall(b.charCodeAt(at))) return a.charCodeAt(at) - b.charCodeAt(at);
  const [left = '', right = ''] = [a[at], b[at]];
  if (left === '' || right === '') return a.length - b.length;
  const letters = [/\p{L}/u.test(left), /\p{L}/u.test(right)];
  if (letters[0] !== letters[1]) return letters[0] === true ? 1 : -1;
  const numbers = [numberAt(a, at), numberAt(b, at)] as const;
  if (letters[0] !== true && numbers[0] !== numbers[1]) return numbers[0] - numbers[1];
  return left < right ? -1 : 1;
}

const isSmall = (code: number): boolean => code >= 97 && code <= 122;

function numberAt(text: string, at: number): number {
  return Number(/^[0-9]+/.exec(text.slice(at))?.[0] ?? 0);
}
