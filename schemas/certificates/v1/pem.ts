/** PEM blocks as Go's encoding/pem finds them: what is no block is passed over, and a broken one with it. */
import { isBase64 } from '../../meta/base64.js';

const BEGIN = '-----BEGIN ';
const END = '\n-----END ';
const DASHES = '-----';

export interface PemBlock {
  /** `CERTIFICATE`, `CERTIFICATE REQUEST`, … */
  readonly type: string;
  /** Lines of the form `key: value` before the data. */
  readonly hasHeaders: boolean;
  readonly bytes: Buffer;
}

/** All blocks of a text, one byte a character, as far as they are asked for. */
export function* pemBlocks(text: string): Generator<PemBlock> {
  let from = 0;
  for (;;) {
    const end = text.indexOf(END, from);
    if (end < 0) return;
    // Not text.lastIndexOf, which might look through all that lies behind once for each end.
    const begin = text.slice(from, end).lastIndexOf(BEGIN);
    const after = end + END.length;
    const startsLine = begin === 0 || (begin > 0 && text[from + begin - 1] === '\n');
    const block = startsLine ? blockAt(text, from + begin + BEGIN.length, end) : undefined;
    if (block === undefined) {
      from = after;
      continue;
    }
    yield block;
    from = lineEnd(text, after);
  }
}

/** Where the next line begins. */
function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end + 1;
}

/** The line from here, without the blanks at its end. */
const lineAt = (text: string, from: number): string =>
  text.slice(from, lineEnd(text, from)).replace(/[ \t\r\n]+$/, '');

/** The block whose type begins at `start` and whose end begins with the line break at `end`. */
function blockAt(text: string, start: number, end: number): PemBlock | undefined {
  const first = lineAt(text, start);
  if (!first.endsWith(DASHES)) return undefined;
  const type = first.slice(0, -DASHES.length);
  if (lineAt(text, end + END.length) !== `${type}${DASHES}`) return undefined;
  let data = lineEnd(text, start);
  let hasHeaders = false;
  while (data < end && lineAt(text, data).includes(':')) {
    hasHeaders = true;
    data = lineEnd(text, data);
  }
  const base64 = text.slice(data, Math.max(data, end)).replaceAll(/[ \t]/g, '');
  if (!isBase64(base64)) return undefined;
  return { type, hasHeaders, bytes: Buffer.from(base64, 'base64') };
}
