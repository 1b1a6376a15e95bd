/**
 * Numbers of a JSON text that are something else to Go than to JSON.parse: `1.0` and `1e2` are no integers there, and an
 * error names a number as it was written.
 */

/** Only for speed: where this matches nothing there is none, and texts of this kind in strings are rare. */
const MAY_BE = /(?:"\s*:|[[,])\s*-?(?:[0-9]+[.eE]|[0-9]{16})/;
const STRING_OR_NUMBER = /"[^"\\]*(?:\\[^][^"\\]*)*"|-?[0-9][0-9.eE+-]*/g;

const INT64_MIN = -(2n ** 63n);
const INT64_CHARACTERS_MAX = `${INT64_MIN}`.length;

/** Of one text, so that one of nothing else costs no more than others do. Beyond that, such numbers are as good as any. */
export const MARKS_MAX = 1000;

export interface MarkedNumbers {
  /** The text with a fraction in place of each of them: as little an integer to us as the number is to Go. */
  readonly text: string;
  /** By their fraction: as they were written. */
  readonly written: ReadonlyMap<string, string>;
}

/** An object that was read from a marked text. */
export interface MarkedObject {
  readonly object: unknown;
  readonly written: MarkedNumbers['written'];
}

/** A type error of such an object, which names the number as it was written. */
export const unmarked = (typeError: string, written: MarkedNumbers['written']): string =>
  typeError.replace(/(?<=\bnumber )[0-9]+\.5/, (mark) => written.get(mark) ?? mark);

/** `text` must be JSON. Undefined where it has no such number. */
export function markNumbers(text: string): MarkedNumbers | undefined {
  if (!MAY_BE.test(text)) return undefined;
  const written = new Map<string, string>();
  const marked = text.replace(STRING_OR_NUMBER, (token) => {
    if (token.startsWith('"') || isInt64(token) || written.size === MARKS_MAX) return token;
    const mark = `${written.size}.5`;
    written.set(mark, token);
    return mark;
  });
  return written.size === 0 ? undefined : { text: marked, written };
}

/** A double may round it. */
function isInt64(token: string): boolean {
  if (/[.eE]/.test(token) || token.length > INT64_CHARACTERS_MAX) return false;
  const value = BigInt(token);
  return value >= INT64_MIN && value < -INT64_MIN;
}
