/** HPACK's Huffman code (RFC 7541 §5.2, Appendix B). It is canonical: the lengths of its codes say all of it. */
import { ConnectionError, ErrorCode } from './frames.js';

/** Bits of the code of each octet; the last is the end of string. */
// biome-ignore format: a table
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const END_OF_STRING = 256;
const BITS_MAX = 30;

/** For each length: the first code, the first place in `symbols`, and how many there are. */
interface Codes {
  readonly first: number;
  readonly place: number;
  readonly count: number;
}
const symbols = LENGTHS.map((_length, symbol) => symbol).sort(
  (a, b) => (LENGTHS[a] ?? 0) - (LENGTHS[b] ?? 0) || a - b,
);
const byLength: readonly Codes[] = codes();

function codes(): Codes[] {
  const all: Codes[] = [];
  let first = 0;
  let place = 0;
  for (let bits = 0; bits <= BITS_MAX; bits++) {
    const count = LENGTHS.filter((length) => length === bits).length;
    all.push({ first, place, count });
    first = (first + count) * 2;
    place += count;
  }
  return all;
}

/** @throws ConnectionError */
export function huffmanDecode(bytes: Uint8Array): string {
  const octets: number[] = [];
  let code = 0;
  let bits = 0;
  for (const byte of bytes) {
    for (let shift = 7; shift >= 0; shift--) {
      code = code * 2 + ((byte >>> shift) & 1);
      bits += 1;
      const { first, place, count } = byLength[bits] ?? NONE;
      if (code - first >= count) continue;
      const symbol = symbols[place + code - first] ?? END_OF_STRING;
      if (symbol === END_OF_STRING) throw malformed();
      octets.push(symbol);
      code = 0;
      bits = 0;
    }
  }
  // What is left over is padding: fewer than eight bits, all of them set.
  if (bits > 7 || code !== 2 ** bits - 1) throw malformed();
  return Buffer.from(octets).toString('latin1');
}

const NONE: Codes = { first: 0, place: 0, count: 0 };
const malformed = () => new ConnectionError(ErrorCode.compression, 'malformed Huffman code');
