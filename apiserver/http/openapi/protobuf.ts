/**
 * Messages by tables: how a JSON document is written as protobuf, for documents that clients want in both. Field numbers
 * stand in the tables; this is the wire format.
 */
import { BYTES, VARINT } from '../serializers/protobuf-wire.js';

/** Appends a field to the parts of its message, or nothing where the value says nothing. */
export type Encode = (parts: Buffer[], field: number, value: unknown) => void;

export type Fields = Readonly<Record<string, readonly [field: number, encode: Encode]>>;

type Json = Readonly<Record<string, unknown>>;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  bytes.push(value);
  return Buffer.from(bytes);
}

const tag = (field: number, wireType: number): Buffer => varint(field * 8 + wireType);

function bytes(parts: Buffer[], field: number, content: readonly Buffer[]): void {
  const length = content.reduce((sum, { length }) => sum + length, 0);
  parts.push(tag(field, BYTES), varint(length));
  for (const part of content) parts.push(part);
}

export const text: Encode = (parts, field, value) => bytes(parts, field, [Buffer.from(value as string)]);

export const flag: Encode = (parts, field, value) => {
  if (value === true) parts.push(tag(field, VARINT), varint(1));
};

/** A repeated field. */
export const each =
  (encode: Encode): Encode =>
  (parts, field, values) => {
    for (const value of values as readonly unknown[]) encode(parts, field, value);
  };

/** What is a member in JSON is a field of a message of its own: a list in a message, a choice of a oneof. */
export const wrapped =
  (inner: number, encode: Encode): Encode =>
  (parts, field, value) => {
    const content: Buffer[] = [];
    encode(content, inner, value);
    bytes(parts, field, content);
  };

/** A map: repeated pairs of a name and a value. */
export const named =
  (encode: Encode): Encode =>
  (parts, field, values) => {
    for (const [name, value] of Object.entries(values as Json)) {
      const pair: Buffer[] = [];
      text(pair, 1, name);
      encode(pair, 2, value);
      bytes(parts, field, pair);
    }
  };

/** `Any`: a value of any form, as YAML, which JSON is. */
export const anything: Encode = wrapped(2, (parts, field, value) =>
  text(parts, field, JSON.stringify(value)),
);

/**
 * A message. `extensions` is the field that its members called `x-…` go to. Throws where a member has no field: such a
 * document has grown beyond its table.
 */
export const message =
  (fields: Fields, extensions?: number): Encode =>
  (parts, field, value) => {
    bytes(parts, field, contentOf(fields, value as Json, extensions));
  };

const vendorExtension = named(anything);

function contentOf(fields: Fields, value: Json, extensions: number | undefined): Buffer[] {
  const content: Buffer[] = [];
  for (const [name, member] of Object.entries(value)) {
    const described = fields[name];
    if (described !== undefined) described[1](content, described[0], member);
    else if (extensions !== undefined && name.startsWith('x-'))
      vendorExtension(content, extensions, { [name]: member });
    else throw new Error(`no protobuf field is known for "${name}"`);
  }
  return content;
}

/** A message that is not inside another. */
export function document(fields: Fields, value: object): Buffer {
  return Buffer.concat(contentOf(fields, value as Json, undefined));
}
