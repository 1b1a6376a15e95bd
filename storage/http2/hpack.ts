/** Header blocks (RFC 7541): all forms are read; what is written uses no table that would have to be kept. */
import { ConnectionError, ErrorCode } from './frames.js';
import { huffmanDecode } from './huffman.js';
import { STATIC_TABLE, type HeaderField } from './static-table.js';

/** Of the table that the other side's encoder may fill; HTTP/2's default. */
const TABLE_BYTES_MAX = 4096;
/** What each entry costs beside its name and value (RFC 7541 §4.1). */
const ENTRY_OVERHEAD_BYTES = 32;
/** Of all headers of one request, counted as entries are: more ends the connection, before it is a burden. */
export const HEADER_LIST_BYTES_MAX = 32 * 1024;
/** Longest integer: more would be beyond any length there is. */
const INTEGER_SHIFT_MAX = 21;

const malformed = (what: string) => new ConnectionError(ErrorCode.compression, what);

export class HeaderDecoder {
  /** Newest first. */
  readonly #table: HeaderField[] = [];
  #tableBytes = 0;
  #tableBytesMax = TABLE_BYTES_MAX;
  #block: Buffer = Buffer.alloc(0);
  #position = 0;

  /** @throws ConnectionError */
  decode(block: Buffer): HeaderField[] {
    this.#block = block;
    this.#position = 0;
    const fields: HeaderField[] = [];
    let bytes = 0;
    while (this.#position < block.length) {
      const field = this.#field(fields.length === 0);
      if (field === undefined) continue;
      bytes += sizeOf(field);
      if (bytes > HEADER_LIST_BYTES_MAX)
        throw new ConnectionError(ErrorCode.enhanceYourCalm, 'too many headers');
      fields.push(field);
    }
    return fields;
  }

  /** Undefined: a change of the table's size, which comes first. */
  #field(isFirst: boolean): HeaderField | undefined {
    const byte = this.#block[this.#position] ?? 0;
    if (byte >= 0x80) return this.#entry(this.#integer(7));
    if (byte >= 0x40) {
      const field = this.#literal(this.#integer(6));
      this.#add(field);
      return field;
    }
    if (byte < 0x20) return this.#literal(this.#integer(4));
    const size = this.#integer(5);
    if (!isFirst || size > TABLE_BYTES_MAX) throw malformed('a change of size that may not be');
    this.#tableBytesMax = size;
    this.#evict();
    return undefined;
  }

  #literal(nameIndex: number): HeaderField {
    const name = nameIndex === 0 ? this.#text() : this.#entry(nameIndex)[0];
    return [name, this.#text()];
  }

  #entry(index: number): HeaderField {
    const entry =
      index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.#table[index - 1 - STATIC_TABLE.length];
    if (entry === undefined) throw malformed('a header that is in no table');
    return entry;
  }

  #add(field: HeaderField): void {
    this.#table.unshift(field);
    this.#tableBytes += sizeOf(field);
    this.#evict();
  }

  #evict(): void {
    while (this.#tableBytes > this.#tableBytesMax) {
      const oldest = this.#table.pop();
      if (oldest === undefined) break;
      this.#tableBytes -= sizeOf(oldest);
    }
  }

  #text(): string {
    const isHuffman = ((this.#block[this.#position] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const end = this.#position + length;
    if (end > this.#block.length) throw malformed('a header ends too early');
    const start = this.#position;
    this.#position = end;
    if (isHuffman) return huffmanDecode(this.#block.subarray(start, end));
    return this.#block.toString('latin1', start, end);
  }

  #integer(prefixBits: number): number {
    const mask = 2 ** prefixBits - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= INTEGER_SHIFT_MAX; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw malformed('an integer is too large');
  }

  #byte(): number {
    const byte = this.#block[this.#position++];
    if (byte === undefined) throw malformed('a header ends too early');
    return byte;
  }
}

function sizeOf([name, value]: HeaderField): number {
  return name.length + value.length + ENTRY_OVERHEAD_BYTES;
}

/** A block that every decoder reads alike, whatever came before it. Values are latin1. */
export function encodeHeaders(fields: readonly HeaderField[]): Buffer {
  return Buffer.concat(fields.flatMap(encodeField));
}

function encodeField(field: HeaderField): Buffer[] {
  const [name, value] = field;
  const known = STATIC_TABLE.findIndex((entry) => entry[0] === name && entry[1] === value);
  if (known >= 0 && value !== '') return [Buffer.of(0x80 | (known + 1))];
  return [Buffer.of(0), encodeText(name), encodeText(value)];
}

function encodeText(text: string): Buffer {
  const octets = Buffer.from(text, 'latin1');
  return Buffer.concat([encodeInteger(octets.length), octets]);
}

/** With a prefix of seven bits, none of them a flag. */
function encodeInteger(value: number): Buffer {
  if (value < 0x7f) return Buffer.of(value);
  const octets = [0x7f];
  let rest = value - 0x7f;
  for (; rest > 0x7f; rest >>>= 7) octets.push((rest & 0x7f) | 0x80);
  octets.push(rest);
  return Buffer.from(octets);
}

/** "The table that I may use is empty": what has to be said once when the other side allows less than there was. */
export const EMPTY_TABLE = Buffer.of(0x20);
