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

export function encodeYaml(value: unknown, yaml: typeof Yaml): string {
  // Version 1.2 of the library's own rules: what 1.1 needs quoted is settled here.
  const document = new yaml.Document(sorted(value), { version: '1.2', aliasDuplicateObjects: false });
  yaml.visit(document, {
    Scalar(key, node) {
      if (typeof node.value !== 'string') return;
      const style = styleOf(node.value, key === 'key');
      if (style !== undefined) node.type = style;
    },
  });
  return document.toString({
    indentSeq: false,
    lineWidth: 0,
    minContentWidth: 0,
    singleQuote: true,
    flowCollectionPadding: false,
    directives: false,
  });
}

function styleOf(text: string, isKey: boolean): 'QUOTE_DOUBLE' | 'BLOCK_LITERAL' | undefined {
  if (UNPRINTABLE.test(text) || NOT_A_STRING.some((pattern) => pattern.test(text))) return 'QUOTE_DOUBLE';
  return text.includes('\n') && !isKey ? 'BLOCK_LITERAL' : undefined;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => compareKeys(a, b));
  return new Map(members.map(([key, member]) => [key, sorted(member)]));
}

/** Go's YAML sorts keys as people do: `p2` before `p10`, punctuation and digits before letters. */
export function compareKeys(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const [left = '', right = ''] = [a[at], b[at]];
  if (left === '' || right === '') return a.length - b.length;
  const letters = [/\p{L}/u.test(left), /\p{L}/u.test(right)];
  if (letters[0] !== letters[1]) return letters[0] === true ? 1 : -1;
  const numbers = [numberAt(a, at), numberAt(b, at)] as const;
  if (letters[0] !== true && numbers[0] !== numbers[1]) return numbers[0] - numbers[1];
  return left < right ? -1 : 1;
}

function numberAt(text: string, at: number): number {
  return Number(/^[0-9]+/.exec(text.slice(at))?.[0] ?? 0);
}
