/** JSON bodies. */
import { goQuote } from '../../../schemas/go-quote.js';
import { countMembers, duplicateFields, NestingError } from './duplicates.js';
import { jsonSyntaxProblem } from '../../../schemas/go-json.js';
import { markNumbers } from './json-numbers.js';
import type { Decoded, Serializer } from './serializer.js';
import { type DecodeHint, unrecognized, withTypeMeta } from './type-meta.js';

/** A parsed text, or what Go says of it. */
export type ParsedJson =
  | { readonly value: unknown; readonly problem?: undefined; readonly duplicates: readonly string[] }
  | { readonly value?: undefined; readonly problem: string };

/** `duplicates` is filled only for `strict`. Values are as JSON.parse makes them: `__proto__` is a member like any other. */
export function parseJson(text: string, strict: boolean): ParsedJson {
  const read = wellFormed(text);
  let value: unknown;
  try {
    value = JSON.parse(read);
  } catch {
    return { problem: jsonSyntaxProblem(text) };
  }
  try {
    const members = countMembers(value);
    return { value, duplicates: strict ? duplicateFields(read, members) : [] };
  } catch (error) {
    if (error instanceof NestingError) return { problem: error.message };
    throw error;
  }
}

/** Escapes in their order, so that a backslash that is escaped itself begins none; halves of pairs by themselves are first groups. */
const escapes =
  /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(u[dD][89a-fA-F][\da-fA-F]{2})|[^])/g;
const halfOfPair = /\\u[dD][89a-fA-F]/;

/** Half of a surrogate pair by itself is no character: U+FFFD, as Go's decoder has it. */
function wellFormed(text: string): string {
  if (!text.includes('\\u') || !halfOfPair.test(text)) return text;
  return text.replace(escapes, (escape, half: string | undefined) =>
    half === undefined ? escape : '\\ufffd',
  );
}

export const jsonSerializer: Serializer = {
  mediaTypes: ['application/json'],

  decode(body: Buffer, hint: DecodeHint): Decoded {
    const text = body.toString('utf8');
    const parsed = parseJson(text, hint.strict);
    if (parsed.problem !== undefined) {
      throw unrecognized(hint, `couldn't get version/kind; json parse error: ${parsed.problem}`, body);
    }
    const object = withTypeMeta(parsed.value, hint, body);
    const strictErrors = parsed.duplicates.map((field) => `duplicate field ${goQuote(field)}`);
    const numbers = markNumbers(text);
    if (numbers === undefined) return { object, strictErrors };
    const marked = withTypeMeta(JSON.parse(numbers.text), hint, body);
    return { object, strictErrors, marked: { object: marked, written: numbers.written } };
  },

  encode: (json: Buffer): Buffer => json,
};
