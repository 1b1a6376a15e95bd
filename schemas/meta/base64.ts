/** Base64 as Go's standard encoding reads it: padded, line breaks ignored. */

const ALPHABET = /^[A-Za-z0-9+/]*={0,2}$/;

export function isBase64(text: string): boolean {
  if (text.length % 4 === 0 && ALPHABET.test(text)) return true;
  return base64Problem(text) === undefined;
}

const at = (offset: number): string => `illegal base64 data at input byte ${offset}`;

/** `illegal base64 data at input byte 4`, or undefined for good text. Offsets count line breaks too, as Go's do. */
export function base64Problem(text: string): string | undefined {
  /** Characters of the current group of four, padding included. */
  let inGroup = 0;
  let padding = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\r' || char === '\n') continue;
    if (char === '=') {
      if (inGroup < 2 || padding === 2) return at(i);
      padding++;
    } else if (padding > 0 || !/[A-Za-z0-9+/]/.test(char)) {
      return at(i);
    }
    inGroup = (inGroup + 1) % 4;
    if (inGroup === 0 && padding > 0) {
      const rest = /^[\r\n]*/.exec(text.slice(i + 1))?.[0].length ?? 0;
      return i + 1 + rest < text.length ? at(i + 1 + rest) : undefined;
    }
  }
  return inGroup === 0 ? undefined : at(text.length - (inGroup - padding > 0 && padding === 0 ? inGroup : 0));
}
