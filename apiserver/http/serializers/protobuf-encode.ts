/**
 * From an object's JSON form to its protobuf message, byte for byte as Go writes it: fields in the order of their numbers,
 * those that are no pointers always, zero or not, the keys of maps sorted.
 *
 * A writer is made once for each message. Messages are written from their end (protobuf-writer.ts), so everything here
 * goes backwards.
 */
import { type Field, fieldsOf } from './protobuf-fields.js';
import { specialMessages } from './protobuf-special.js';
import { BYTES, FIXED64, VARINT } from './protobuf-wire.js';
import { EncodeError, WireWriter } from './protobuf-writer.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** Writes a value as its field holds it, with its length where it has one. Throws EncodeError. */
type WriteValue = (writer: WireWriter, value: unknown) => void;
/** Writes a field of an object with its tag, or nothing where it is absent. */
type WriteField = (writer: WireWriter, object: JsonObject) => void;

interface ValueType {
  readonly wireType: number;
  readonly write: WriteValue;
  /** What is written where an always written field is absent. */
  readonly zero: unknown;
}

const shared = new WireWriter();

/**
 * The bytes of a message: `content` writes it to an empty writer, its last part first. There is one writer, so `content`
 * may not call this. Throws what `content` throws.
 */
export function written(content: (writer: WireWriter) => void): Buffer {
  if (shared.written > 0) throw new Error('a message is being written');
  try {
    content(shared);
    return shared.take();
  } catch (error) {
    shared.reset();
    throw error;
  }
}

/** Throws EncodeError where a field holds what its type cannot. */
export function writeMessage(writer: WireWriter, message: string, value: unknown): void {
  contentWriter(message)(writer, value);
}

function contentWriter(message: string): WriteValue {
  const special = specialMessages.get(message);
  if (special !== undefined) return (writer, value) => special.write(writer, value, writeMessage);
  return (writer, value) => {
    if (typeof value !== 'object' || value === null) throw new EncodeError(`${message} is no object`);
    const writers = writersOf(message);
    for (let i = 0; i < writers.length; i++) writers[i]!(writer, value as JsonObject);
  };
}

const messageWriters = new Map<string, readonly WriteField[]>();

function writersOf(message: string): readonly WriteField[] {
  let writers = messageWriters.get(message);
  if (writers === undefined) {
    writers = fieldsOf(message).toReversed().map(fieldWriter);
    messageWriters.set(message, writers);
  }
  return writers;
}

function fieldWriter({ number, name, shape, type }: Field): WriteField {
  if (shape === 'embedded') {
    const tag = number * 8 + BYTES;
    const { write } = messageType(type);
    return (writer, object) => {
      write(writer, object);
      writer.tag(tag);
    };
  }
  if (shape === 'map') return mapWriter(number * 8 + BYTES, name, valueType(type));
  const { wireType, write, zero } = valueType(type);
  const tag = number * 8 + wireType;
  if (shape === 'list') return listWriter(tag, name, write);
  if (shape === 'optional') {
    return (writer, object) => {
      const value = object[name];
      if (value === undefined || value === null) return;
      write(writer, value);
      writer.tag(tag);
    };
  }
  return (writer, object) => {
    write(writer, object[name] ?? zero);
    writer.tag(tag);
  };
}

function listWriter(tag: number, name: string, write: WriteValue): WriteField {
  return (writer, object) => {
    const list = object[name] ?? [];
    if (!Array.isArray(list)) throw new EncodeError(`${name} is no list`);
    for (let i = list.length - 1; i >= 0; i--) {
      write(writer, list[i]);
      writer.tag(tag);
    }
  };
}

/** Entries are messages of a key and a value. */
function mapWriter(tag: number, name: string, { wireType, write }: ValueType): WriteField {
  return (writer, object) => {
    const map = object[name];
    if (map === undefined || map === null) return;
    if (typeof map !== 'object') throw new EncodeError(`${name} is no map`);
    const keys = sortedKeys(map);
    for (let i = keys.length - 1; i >= 0; i--) {
      const key = keys[i]!;
      const end = writer.written;
      write(writer, (map as JsonObject)[key]);
      writer.tag(16 + wireType);
      writer.text(key);
      writer.tag(8 + BYTES);
      writer.length(end);
      writer.tag(tag);
    }
  };
}

const SURROGATE = /[\ud800-\udfff]/;

/** In the order of their bytes, which JavaScript's is not where there are characters beyond 16 bits. */
function sortedKeys(map: object): string[] {
  const keys = Object.keys(map);
  if (keys.length < 2) return keys;
  if (!keys.some((key) => SURROGATE.test(key))) return keys.sort();
  return keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

const writeText: WriteValue = (writer, value) => {
  if (typeof value !== 'string') throw new EncodeError(`${typeof value} in place of a string`);
  writer.text(value);
};

const writeInteger: WriteValue = (writer, value) => {
  if (!Number.isInteger(value)) throw new EncodeError(`${typeof value} in place of an integer`);
  writer.varint(value as number);
};

const scalarTypes: Readonly<Record<string, ValueType>> = {
  string: { wireType: BYTES, write: writeText, zero: '' },
  int: { wireType: VARINT, write: writeInteger, zero: 0 },
  bool: { wireType: VARINT, write: (writer, value) => writer.varint(value === true ? 1 : 0), zero: false },
  double: { wireType: FIXED64, write: (writer, value) => writer.double(Number(value)), zero: 0 },
  bytes: {
    wireType: BYTES,
    write(writer, value) {
      const bytes = Buffer.from(String(value), 'base64');
      writer.raw(bytes);
      writer.varint(bytes.length);
    },
    zero: '',
  },
};

const valueType = (type: string): ValueType => scalarTypes[type] ?? messageType(type);

const nothingSet: JsonObject = {};

function messageType(message: string): ValueType {
  const special = specialMessages.get(message);
  const content = contentWriter(message);
  const write: WriteValue = (writer, value) => {
    const end = writer.written;
    content(writer, value);
    writer.length(end);
  };
  return { wireType: BYTES, write, zero: special === undefined ? nothingSet : special.zero };
}
