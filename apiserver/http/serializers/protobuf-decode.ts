/**
 * From a protobuf message to the object's JSON form.
 *
 * Go writes every field that is no pointer, zero or not, and pointers only when they are set. So what is on the wire is
 * in the result, `replicas: 0` and `name: ""` alike, just as when the same client marshals to JSON without omitempty; it
 * is the object's schema that drops the zero values of omitempty fields (`omitEmpty` in schemas/fields.ts). A zero time
 * is an empty message and becomes nothing.
 */
import { type Field, fieldsOf } from './protobuf-fields.js';
import { specialMessages, textOf, wrongType } from './protobuf-special.js';
import { BYTES, FIXED64, fieldOf, VARINT, WireReader, wireTypeOf } from './protobuf-wire.js';

type JsonObject = Record<string, unknown>;

type FieldsByNumber = ReadonlyMap<number, Field>;

const descriptors = new Map<string, FieldsByNumber>();

function fieldsByNumber(message: string): FieldsByNumber {
  let fields = descriptors.get(message);
  if (fields === undefined) {
    fields = new Map(fieldsOf(message).map((field) => [field.number, field]));
    descriptors.set(message, fields);
  }
  return fields;
}

/** Throws WireError. */
export function decodeMessage(bytes: Buffer, message: string): JsonObject {
  const object: JsonObject = {};
  readMembers(new WireReader(bytes), fieldsByNumber(message), object);
  return object;
}

/** Reads to the end of the message. Members' names are ours, so they may be assigned. */
function readMembers(reader: WireReader, fields: FieldsByNumber, object: JsonObject): void {
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
    readMembers(reader, fieldsByNumber(type), object);
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
    list.push(readValue(reader, tag, field) ?? null);
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

/** To its end. */
function readMessage(reader: WireReader, message: string): unknown {
  const special = specialMessages.get(message);
  if (special !== undefined) return special.read(reader, readMessage);
  const object: JsonObject = {};
  readMembers(reader, fieldsByNumber(message), object);
  return object;
}

function enter(reader: WireReader, tag: number, name: string): number {
  if (wireTypeOf(tag) !== BYTES) throw wrongType(tag, name);
  return reader.enter();
}

function integerOf(reader: WireReader, tag: number, name: string): number {
  if (wireTypeOf(tag) !== VARINT) throw wrongType(tag, name);
  return reader.integer();
}
