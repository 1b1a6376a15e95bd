/** The few of etcd's messages that a load sends, and what it reads of the answers. */

export const Path = {
  range: '/etcdserverpb.KV/Range',
  put: '/etcdserverpb.KV/Put',
  compact: '/etcdserverpb.KV/Compact',
  watch: '/etcdserverpb.Watch/Watch',
  defragment: '/etcdserverpb.Maintenance/Defragment',
} as const;

const WIRE_VARINT = 0;
const WIRE_BYTES = 2;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left >= 128) {
    bytes.push((left % 128) + 128);
    left = Math.floor(left / 128);
  }
  bytes.push(left);
  return Buffer.from(bytes);
}

export function bytesField(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + WIRE_BYTES), varint(bytes.length), bytes]);
}

export function numberField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8 + WIRE_VARINT), varint(value)]);
}

export const putMessage = (key: Buffer, value: Buffer): Buffer =>
  Buffer.concat([bytesField(1, key), bytesField(2, value)]);

export const rangeMessage = (key: Buffer): Buffer => bytesField(1, key);

/** All keys that begin with it. */
export function prefixMessage(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return Buffer.concat([bytesField(1, prefix), bytesField(2, end)]);
}

export const compactMessage = (revision: number): Buffer =>
  Buffer.concat([numberField(1, revision), numberField(2, 1)]);

/** Creates a watch of a prefix. */
export const watchMessage = (prefix: Buffer): Buffer => bytesField(1, prefixMessage(prefix));

/** One field of a message: a number, or where its bytes are. */
interface Field {
  readonly number: number;
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/** Calls back for each field; fields of 32 and 64 bits do not occur. */
export function eachField(bytes: Buffer, start: number, end: number, visit: (field: Field) => void): void {
  let at = start;
  const read = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < end) {
    const tag = read();
    const number = Math.floor(tag / 8);
    const value = read();
    if (tag % 8 === WIRE_VARINT) {
      visit({ number, value, start: at, end: at });
      continue;
    }
    visit({ number, value, start: at, end: at + value });
    at += value;
  }
}

/** The value of every event of a watch response. */
export function eachEventValue(response: Buffer, visit: (value: Buffer) => void): void {
  eachField(response, 0, response.length, (event) => {
    if (event.number !== 11) return;
    eachField(response, event.start, event.end, (kv) => {
      if (kv.number !== 2) return;
      eachField(response, kv.start, kv.end, (field) => {
        if (field.number === 5) visit(response.subarray(field.start, field.end));
      });
    });
  });
}

/** Of a put's answer. */
export function revisionOf(answer: Buffer): number {
  let revision = 0;
  eachField(answer, 0, answer.length, (header) => {
    if (header.number !== 1) return;
    eachField(answer, header.start, header.end, (field) => {
      if (field.number === 3) revision = field.value;
    });
  });
  return revision;
}
