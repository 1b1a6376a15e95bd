/** A text as Go's `%q` prints it, which is JSON's way but for what cannot be printed. */

// oxlint-disable-next-line no-control-regex
const PLAIN = /^[\x20-\x7e]*$/;
/** Go's idea of printable: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const NAMED: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

export const isPrintable = (character: string): boolean => PRINTABLE.test(character);

export function goQuote(text: string): string {
  if (PLAIN.test(text)) return JSON.stringify(text);
  let quoted = '"';
  // By code points; half a surrogate pair is no text in Go and was replaced before it came here.
  for (const character of text) quoted += NAMED[character] ?? shown(character);
  return `${quoted}"`;
}

function shown(character: string): string {
  if (isPrintable(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x20 || code === 0x7f) return `\\x${hex.padStart(2, '0')}`;
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** As Go's time package quotes what it cannot parse: byte by byte. */
export function goTimeQuote(text: string): string {
  if (PLAIN.test(text)) return JSON.stringify(text);
  const bytes = Buffer.from(text).toString('latin1');
  // oxlint-disable-next-line no-control-regex
  const quoted = bytes.replace(/["\\\x00-\x1f\x80-\xff]/g, (byte) =>
    byte === '"' || byte === '\\' ? `\\${byte}` : (HEX_ESCAPES[byte.charCodeAt(0)] ?? ''),
  );
  return `"${quoted}"`;
}

const HEX_ESCAPES = Array.from({ length: 256 }, (_, byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
