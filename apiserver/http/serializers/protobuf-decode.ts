/**
 * From a protobuf message to the object's JSON form.
 *
 * Go writes every field that is no pointer, zero or not, and pointers only when they are set. So what is on the wire is
 * in the result, `replicas: 0` and `name: ""` alike, just as when the same client marshals to JSON without omitempty; it
 * is the object's schema that drops the zero values of omitempty fields (`omitEmpty` in schemas/fields.ts). A zero time
 * is an empty message and becomes nothing.
 */
import { PROTOBUF_MESSAGES } from './protobuf-messages.js';
import { BYTES, FIXED64, fieldOf, VARINT, WireError, WireReader, wireTypeOf } from './protobuf-wire.js';

type JsonObject = Record<string, unknown>;

interface Field {
  readonly name: string;
  readonly shape: 'single' | 'list' | 'map' | 'embedded';
  readonly type: string;
}

type Fields = ReadonlyMap<number, Field>;

const descriptors = new Map<string, Fields>();

/** Whether bodies of this message can be decoded: `core.v1.Pod`. */
export function knowsMessage(message: string): boolean {
  return Object.hasOwn(PROTOBUF_MESSAGES, message);
}

/** Fields of the message by number, read from its description on first use. */
function fieldsOf(message: string): Fields {
  let fields = descriptors.get(message);
  if (fields === undefined) {
    const entries = (PROTOBUF_MESSAGES[message] ?? '').split(' ').filter((text) => text !== '');
    fields = new Map(entries.map(parseField));
    descriptors.set(message, fields);
  }
  return fields;
}

const SHAPES = { '': 'single', '[]': 'list', '{}': 'map', '~': 'embedded' } as const;

function parseField(text: string): [number, Field] {
  const [number = '', name = '', described = ''] = text.split(':');
  const prefix = (/^(?:\[\]|\{\}|~)/.exec(described)?.[0] ?? '') as keyof typeof SHAPES;
  return [Number(number), { name, shape: SHAPES[prefix], type: described.slice(prefix.length) }];
}

/** Throws WireError. */
export function decodeMessage(bytes: Buffer, message: string): JsonObject {
  const object: JsonObject = {};
  readMembers(new WireReader(bytes), fieldsOf(message), object);
  return object;
}

/** Reads to the end of the message. Members' names are ours, so they may be assigned. */
function readMembers(reader: WireReader, fields: Fields, object: JsonObject): void {
  let maps: Map<string, Map<string, unknown>> | undefined;
  while (!reader.done) {
    const tag = reader.tag();
    const field = fields.get(fieldOf(tag));
    if (field === undefined) reader.skip(tag);
    else if (field.shape === 'map') {
      maps ??= new Map();
      readEntry(reader, tag, field, maps);
    } else readField(reader, tag, field, object);
  }
  // A map's keys are the client's: they are defined, not assigned, and `__proto__` is a key like any other.
  if (maps !== undefined) for (const [name, map] of maps) object[name] = Object.fromEntries(map);
}

function readField(reader: WireReader, tag: number, field: Field, object: JsonObject): void {
  const { name, shape, type } = field;
  if (shape === 'embedded') {
    const outer = enter(reader, tag, name);
    readMembers(reader, fieldsOf(type), object);
    reader.leave(outer);
  } else if (shape === 'list') {
    const list = (object[name] ??= []) as unknown[];
    readItems(reader, tag, field, list);
  } else {
    const value = readValue(reader, tag, field);
    if (value !== undefined) object[name] = value;
  }
}

/** Numbers may come one by one or packed. */
function readItems(reader: WireReader, tag: number, field: Field, list: unknown[]): void {
  const packed = wireTypeOf(tag) === BYTES && (field.type === 'int' || field.type === 'bool');
  if (!packed) {
    list.push(readValue(reader, tag, field));
    return;
  }
  const outer = reader.enter();
  while (!reader.done) list.push(readValue(reader, VARINT, field));
  reader.leave(outer);
}

/** A map's entry is a message of key and value; either is absent when empty. */
function readEntry(
  reader: WireReader,
  entryTag: number,
  field: Field,
  maps: Map<string, Map<string, unknown>>,
): void {
  const map = maps.get(field.name) ?? new Map<string, unknown>();
  maps.set(field.name, map);
  const outer = enter(reader, entryTag, field.name);
  let key = '';
  let value: unknown;
  while (!reader.done) {
    const tag = reader.tag();
    if (fieldOf(tag) === 1) key = textOf(reader, tag, field.name);
    else if (fieldOf(tag) === 2) value = readValue(reader, tag, field);
    else reader.skip(tag);
  }
  reader.leave(outer);
  map.set(key, value ?? zeroOf(field.type));
}

function zeroOf(type: string): unknown {
  return type === 'string' || type === 'bytes' ? '' : readMessage(new WireReader(Buffer.alloc(0)), type);
}

function readValue(reader: WireReader, tag: number, { name, type }: Field): unknown {
  switch (type) {
    case 'int':
      return integerOf(reader, tag, name);
    case 'bool':
      return integerOf(reader, tag, name) !== 0;
    case 'double':
      if (wireTypeOf(tag) !== FIXED64) throw wrongType(tag, name);
      return reader.double();
    case 'string':
      return textOf(reader, tag, name);
    case 'bytes':
      return textOf(reader, tag, name, 'base64');
    default: {
      const outer = enter(reader, tag, name);
      const value = readMessage(reader, type);
      reader.leave(outer);
      return value;
    }
  }
}

/** Messages with a JSON form of their own, and all others, to their end. */
function readMessage(reader: WireReader, type: string): unknown {
  switch (type) {
    case 'meta.v1.Time':
      return readTime(reader, 0);
    case 'meta.v1.MicroTime':
      return readTime(reader, 6);
    case 'meta.v1.FieldsV1':
      return JSON.parse(readScalars(reader).text.get(1) || '{}');
    case 'resource.Quantity':
      return readScalars(reader).text.get(1) ?? '0';
    case 'intstr.IntOrString': {
      const { integers, text } = readScalars(reader);
      return integers.get(1) === 1 ? (text.get(3) ?? '') : (integers.get(2) ?? 0);
    }
    case 'authentication.v1.ExtraValue':
    case 'authorization.v1.ExtraValue': {
      const items: string[] = [];
      while (!reader.done) items.push(textOf(reader, reader.tag(), 'items'));
      return items;
    }
    default: {
      const object: JsonObject = {};
      readMembers(reader, fieldsOf(type), object);
      return object;
    }
  }
}

/** RFC 3339 in UTC with so many digits behind the second; undefined for the zero time, an empty message. */
function readTime(reader: WireReader, digits: 0 | 6): string | undefined {
  if (reader.done) return undefined;
  const { integers } = readScalars(reader);
  const date = new Date((integers.get(1) ?? 0) * 1000);
  if (Number.isNaN(date.getTime())) throw new WireError('proto: time out of range');
  const seconds = date.toISOString().replace(/\.000Z$/, '');
  const micros = Math.floor((integers.get(2) ?? 0) / 1000);
  return digits === 0 ? `${seconds}Z` : `${seconds}.${String(micros).padStart(6, '0')}Z`;
}

/** The fields of a message that holds integers and strings only. */
function readScalars(reader: WireReader): { integers: Map<number, number>; text: Map<number, string> } {
  const integers = new Map<number, number>();
  const text = new Map<number, string>();
  while (!reader.done) {
    const tag = reader.tag();
    if (wireTypeOf(tag) === VARINT) integers.set(fieldOf(tag), reader.integer());
    else if (wireTypeOf(tag) === BYTES) text.set(fieldOf(tag), reader.text());
    else reader.skip(tag);
  }
  return { integers, text };
}

function enter(reader: WireReader, tag: number, name: string): number {
  if (wireTypeOf(tag) !== BYTES) throw wrongType(tag, name);
  return reader.enter();
}

function textOf(reader: WireReader, tag: number, name: string, encoding?: 'base64'): string {
  if (wireTypeOf(tag) !== BYTES) throw wrongType(tag, name);
  return reader.text(encoding);
}

function integerOf(reader: WireReader, tag: number, name: string): number {
  if (wireTypeOf(tag) !== VARINT) throw wrongType(tag, name);
  return reader.integer();
}

const wrongType = (tag: number, name: string) =>
  new WireError(
    `proto: wrong wireType = ${wireTypeOf(tag)} for field ${name.charAt(0).toUpperCase()}${name.slice(1)}`,
  );
