/** Messages that are no objects in JSON but a text, a number, a list or anything at all. */
import { checkNesting } from './duplicates.js';
import { BYTES, fieldOf, VARINT, WireError, type WireReader, wireTypeOf } from './protobuf-wire.js';
import { EncodeError, type WireWriter } from './protobuf-writer.js';

export type ReadMessage = (reader: WireReader, message: string) => unknown;
export type WriteMessage = (writer: WireWriter, message: string, value: unknown) => void;

export interface SpecialMessage {
  /** Reads to the end of the message; undefined is no value. Throws WireError, and SyntaxError or NestingError for JSON. */
  read(reader: WireReader, readMessage: ReadMessage): unknown;
  /** The content of the message, without its length; nothing for undefined. Throws EncodeError. */
  write(writer: WireWriter, value: unknown, writeMessage: WriteMessage): void;
  /** The value of a field that is always written and absent in JSON. */
  readonly zero?: unknown;
}

/** Tags of fields with a length in front. */
const FIRST = 8 + BYTES;
const SECOND = 16 + BYTES;
const THIRD = 24 + BYTES;

const ZERO_TIME = '0001-01-01T00:00:00Z';

/** {seconds, nanos}; empty for the zero time, which JSON does not show. `digits` are those behind the second. */
const timeOf = (digits: 0 | 6): SpecialMessage => ({
  read(reader) {
    if (reader.done) return undefined;
    const { integers } = readScalars(reader);
    const date = new Date((integers.get(1) ?? 0) * 1000);
    if (Number.isNaN(date.getTime())) throw new WireError('proto: time out of range');
    const seconds = date.toISOString().replace(/\.000Z$/, '');
    const micros = Math.floor((integers.get(2) ?? 0) / 1000);
    return digits === 0 ? `${seconds}Z` : `${seconds}.${String(micros).padStart(6, '0')}Z`;
  },
  write(writer, value) {
    if (value === undefined || value === null || value === ZERO_TIME) return;
    const text = scalarText(value);
    const milliseconds = Date.parse(text);
    if (Number.isNaN(milliseconds)) throw new EncodeError(`${text} is no time`);
    const fraction = digits === 0 ? '' : (/\.(\d{1,6})/.exec(text)?.[1] ?? '');
    writer.varint(Number(fraction.padEnd(6, '0')) * 1000);
    writer.tag(16 + VARINT);
    writer.varint(Math.floor(milliseconds / 1000));
    writer.tag(8 + VARINT);
  },
});

/** {raw}: JSON as it stands, and nothing for null. */
const json: SpecialMessage = {
  read(reader) {
    const text = readScalars(reader).text.get(1);
    if (text === undefined || text === '') return undefined;
    const value: unknown = JSON.parse(text);
    checkNesting(value);
    return value;
  },
  write(writer, value) {
    if (value === undefined || value === null) return;
    writer.text(JSON.stringify(value));
    writer.tag(FIRST);
  },
};

const quantity: SpecialMessage = {
  read: (reader) => readScalars(reader).text.get(1) ?? '0',
  write(writer, value) {
    writer.text(scalarText(value));
    writer.tag(FIRST);
  },
  zero: '0',
};

const intOrString: SpecialMessage = {
  read(reader) {
    const { integers, text } = readScalars(reader);
    return integers.get(1) === 1 ? (text.get(3) ?? '') : (integers.get(2) ?? 0);
  },
  write(writer, value) {
    const isText = typeof value === 'string';
    writer.text(isText ? value : '');
    writer.tag(THIRD);
    writer.varint(isText ? 0 : Number(value));
    writer.tag(16 + VARINT);
    writer.varint(isText ? 1 : 0);
    writer.tag(8 + VARINT);
  },
  zero: 0,
};

/** {items}: a list of texts that is a type of its own in Go. */
const texts: SpecialMessage = {
  read(reader) {
    const items: string[] = [];
    while (!reader.done) items.push(textOf(reader, reader.tag(), 'items'));
    return items;
  },
  write(writer, value) {
    writeItems(writer, value, FIRST);
  },
};

function writeItems(writer: WireWriter, value: unknown, tag: number): void {
  const items = value as readonly string[];
  for (let i = items.length - 1; i >= 0; i--) {
    writer.text(items[i] ?? '');
    writer.tag(tag);
  }
}

const SCHEMA = 'apiextensions.v1.JSONSchemaProps';

/** {schema, JSONSchemas}: one schema or a list of them. */
const schemaOrList: SpecialMessage = {
  read(reader, readMessage) {
    const schemas = new Map<number, unknown[]>();
    while (!reader.done) {
      const field = fieldOf(reader.tag());
      const outer = reader.enter();
      schemas.set(field, [...(schemas.get(field) ?? []), readMessage(reader, SCHEMA)]);
      reader.leave(outer);
    }
    return schemas.get(1)?.at(-1) ?? schemas.get(2) ?? [];
  },
  write(writer, value, writeMessage) {
    if (!Array.isArray(value)) return writeSchema(writer, value, FIRST, writeMessage);
    for (const schema of value.toReversed()) writeSchema(writer, schema, SECOND, writeMessage);
  },
};

/** {allows, schema}: a schema or a boolean. */
const schemaOrBool: SpecialMessage = {
  read(reader, readMessage) {
    let value: unknown = false;
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === SECOND) {
        const outer = reader.enter();
        value = readMessage(reader, SCHEMA);
        reader.leave(outer);
      } else if (typeof value !== 'boolean' || tag !== 8 + VARINT) reader.skip(tag);
      else value = reader.integer() !== 0;
    }
    return value;
  },
  write(writer, value, writeMessage) {
    if (typeof value !== 'boolean') writeSchema(writer, value, SECOND, writeMessage);
    writer.varint(value === false ? 0 : 1);
    writer.tag(8 + VARINT);
  },
};

/** {schema, property}: a schema or a list of names. */
const schemaOrTexts: SpecialMessage = {
  read(reader, readMessage) {
    let schema: unknown;
    const names: string[] = [];
    while (!reader.done) {
      const tag = reader.tag();
      if (fieldOf(tag) === 1) {
        const outer = reader.enter();
        schema = readMessage(reader, SCHEMA);
        reader.leave(outer);
      } else names.push(textOf(reader, tag, 'property'));
    }
    return schema ?? names;
  },
  write(writer, value, writeMessage) {
    if (Array.isArray(value)) writeItems(writer, value, SECOND);
    else writeSchema(writer, value, FIRST, writeMessage);
  },
};

function writeSchema(writer: WireWriter, schema: unknown, tag: number, writeMessage: WriteMessage): void {
  const end = writer.written;
  writeMessage(writer, SCHEMA, schema);
  writer.length(end);
  writer.tag(tag);
}

export const specialMessages: ReadonlyMap<string, SpecialMessage> = new Map([
  ['meta.v1.Time', timeOf(0)],
  ['meta.v1.MicroTime', timeOf(6)],
  ['meta.v1.FieldsV1', json],
  ['meta.v1.Verbs', texts],
  ['resource.Quantity', quantity],
  ['intstr.IntOrString', intOrString],
  ['runtime.RawExtension', json],
  ['authentication.v1.ExtraValue', texts],
  ['authorization.v1.ExtraValue', texts],
  ['certificates.v1.ExtraValue', texts],
  ['certificates.v1beta1.ExtraValue', texts],
  ['apiextensions.v1.JSON', json],
  ['apiextensions.v1.JSONSchemaPropsOrArray', schemaOrList],
  ['apiextensions.v1.JSONSchemaPropsOrBool', schemaOrBool],
  ['apiextensions.v1.JSONSchemaPropsOrStringArray', schemaOrTexts],
]);

/** Throws EncodeError. */
function scalarText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw new EncodeError(`${typeof value} in place of a string`);
}

/** The fields of a message that holds integers and texts only. */
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

/** Throws WireError, in Go's words, where the field is no text. */
export function textOf(reader: WireReader, tag: number, name: string, encoding?: 'base64'): string {
  if (wireTypeOf(tag) !== BYTES) throw wrongType(tag, name);
  return reader.text(encoding);
}

export const wrongType = (tag: number, name: string) =>
  new WireError(
    `proto: wrong wireType = ${wireTypeOf(tag)} for field ${name.charAt(0).toUpperCase()}${name.slice(1)}`,
  );
