/** CRC-32C (Castagnoli, RFC 3720 appendix B.4), which Node's zlib does not have. Eight bytes a step, about 0.5 GB/s. */

/** Reversed. */
const POLYNOMIAL = 0x82f63b78;

/** `tables[k][b]`: the checksum of byte b with k zero bytes behind it. */
const tables = makeTables();

function makeTables(): readonly Uint32Array[] {
  const [first, ...others] = Array.from({ length: 8 }, () => new Uint32Array(256)) as [
    Uint32Array,
    ...Uint32Array[],
  ];
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
    first[byte] = crc;
  }
  let before = first;
  for (const table of others) {
    for (let byte = 0; byte < 256; byte++) {
      const crc = before[byte] as number;
      table[byte] = (crc >>> 8) ^ (first[crc & 0xff] as number);
    }
    before = table;
  }
  return [first, ...others];
}

const [T0, T1, T2, T3, T4, T5, T6, T7] = tables as [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];

/** @param before the checksum of what comes before `bytes`; 0 for nothing */
export function crc32c(before: number, bytes: Uint8Array): number {
  let crc = ~before;
  let at = 0;
  // Every index is below the length and every table has 256 places.
  for (const end = bytes.length - 7; at < end; at += 8) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (T7[crc & 0xff] as number) ^
      (T6[(crc >>> 8) & 0xff] as number) ^
      (T5[(crc >>> 16) & 0xff] as number) ^
      (T4[crc >>> 24] as number) ^
      (T3[bytes[at + 4] as number] as number) ^
      (T2[bytes[at + 5] as number] as number) ^
      (T1[bytes[at + 6] as number] as number) ^
      (T0[bytes[at + 7] as number] as number);
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ (T0[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
}
