/**
 * Turns a declaration into JavaScript: straight-line code for each field, which runs several times as fast as walking
 * the declaration for each message. Nothing but names and numbers of declarations gets into the source.
 */
import { invariant } from '../../../raft/invariant.js';
import { NO_BYTES } from '../../bytes.js';
import { WireError } from '../../wire.js';
import { Input } from './input.js';
import type { EnumType, Field, MessageType, ScalarType } from './message.js';
import { bigintSize, dataSize, numberSize, Output, textSize, uint32Size } from './output.js';

export type Compiled<T> = Pick<MessageType<T>, 'measure' | 'write' | 'read'>;

const WIRE_VARINT = 0;
const WIRE_BYTES = 2;

/** How each scalar is coded: source of its default, its size, its writing and its reading, for a value `v`. */
interface ScalarCode {
  readonly wire: number;
  readonly zero: string;
  readonly isZero: string;
  readonly size: string;
  readonly write: string;
  readonly read: string;
}

const number = (method: 'int64' | 'uint64' | 'uint32'): ScalarCode => ({
  wire: WIRE_VARINT,
  zero: '0',
  isZero: 'v === 0',
  size: 'numberSize(v)',
  write: 'o.number(v)',
  read: `i.${method}(end)`,
});
const id = (method: 'bigInt64' | 'bigUint64'): ScalarCode => ({
  wire: WIRE_VARINT,
  zero: '0n',
  isZero: 'v === 0n',
  size: 'bigintSize(v)',
  write: 'o.bigint(v)',
  read: `i.${method}(end)`,
});

const SCALARS: Readonly<Record<ScalarType, ScalarCode>> = {
  bytes: {
    wire: WIRE_BYTES,
    zero: 'NO_BYTES',
    isZero: 'v.length === 0',
    size: 'dataSize(v.length)',
    write: 'o.data(v)',
    read: 'i.data(end)',
  },
  string: {
    wire: WIRE_BYTES,
    zero: "''",
    isZero: "v === ''",
    size: 'dataSize(textSize(v))',
    write: 'o.text(v, textSize(v))',
    read: 'i.text(end)',
  },
  bool: {
    wire: WIRE_VARINT,
    zero: 'false',
    isZero: 'v === false',
    size: '1',
    write: 'o.bool(v)',
    read: 'i.bool(end)',
  },
  int64: number('int64'),
  uint64: number('uint64'),
  uint32: number('uint32'),
  int64Id: id('bigInt64'),
  uint64Id: id('bigUint64'),
};

/** `types[n]`: what field n refers to, an enum or a message. */
const enumCode = (n: number): ScalarCode => ({
  wire: WIRE_VARINT,
  zero: `types[${n}].byNumber.get(0)`,
  isZero: `enumNumber(types[${n}], v) === 0`,
  size: `numberSize(enumNumber(types[${n}], v))`,
  write: `o.number(enumNumber(types[${n}], v))`,
  read: `enumValue(types[${n}], i.int32(end))`,
});

const messageMeasure = (n: number, tagSize: number) =>
  `{ const p = o.reserve(); const s = types[${n}].measure(v, o); o.setSize(p, s); size += ${tagSize} + dataSize(s); }`;
const messageWrite = (n: number, tag: number) =>
  `{ o.uint32(${tag}); o.uint32(o.takeSize()); types[${n}].write(v, o); }`;
const messageRead = (n: number, assign: (value: string) => string) =>
  `{ const inner = i.enter(end); ${assign(`types[${n}].read(i, inner)`)}; i.depth -= 1; break; }`;

interface FieldCode {
  readonly measure: string;
  readonly write: string;
  /** Cases of the switch over tags. */
  readonly read: string;
  /** Of the property in a new message; empty: left out. */
  readonly initial: string;
  /** After the last field was read. */
  readonly finish: string;
}

function codeOf(field: Field, n: number): FieldCode {
  invariant(/^[a-zA-Z]+$/.test(field.property), 'the name of a property is a word');
  const isMessage = field.type.kind === 'message';
  if (field.repeated) return isMessage ? messageList(field, n) : scalarList(field, n);
  return isMessage ? messageField(field, n) : scalarField(field, n);
}

const scalarOf = ({ type }: Field, n: number): ScalarCode =>
  type.kind === 'scalar' ? SCALARS[type.scalar] : enumCode(n);
const tagOf = ({ number }: Field, wire: number): number => (number << 3) | wire;
const property = (field: Field): string => `m.${field.property}`;

function scalarField(field: Field, n: number): FieldCode {
  const { wire, zero, isZero, size, write, read } = scalarOf(field, n);
  const tag = tagOf(field, wire);
  // Which one of a oneof is set is told by its being there, also with a zero.
  const present = field.oneof === undefined ? `v !== undefined && !(${isZero})` : 'v !== undefined';
  return {
    measure: `v = ${property(field)}; if (${present}) size += ${uint32Size(tag)} + ${size};`,
    write: `v = ${property(field)}; if (${present}) { o.uint32(${tag}); ${write}; }`,
    read: `case ${tag}: ${property(field)} = ${read}; break;`,
    initial: field.presence === 'optional' ? '' : `${field.property}: ${zero},`,
    finish: '',
  };
}

function messageField(field: Field, n: number): FieldCode {
  const tag = tagOf(field, WIRE_BYTES);
  const isOptional = field.presence === 'optional';
  return {
    measure: `v = ${property(field)}; if (v !== undefined) ${messageMeasure(n, uint32Size(tag))}`,
    write: `v = ${property(field)}; if (v !== undefined) ${messageWrite(n, tag)}`,
    read: `case ${tag}: ${messageRead(n, (value) => `${property(field)} = ${value}`)}`,
    initial: isOptional ? '' : `${field.property}: undefined,`,
    finish: isOptional
      ? ''
      : `if (${property(field)} === undefined) ${property(field)} = types[${n}].read(empty(), 0);`,
  };
}

const listInitial = (field: Field) => (field.presence === 'optional' ? '' : `${field.property}: [],`);
const listPush = (field: Field) => (value: string) =>
  field.presence === 'optional'
    ? `(${property(field)} ??= []).push(${value})`
    : `${property(field)}.push(${value})`;
const eachOf = (field: Field, body: string) =>
  `list = ${property(field)}; if (list !== undefined) for (let k = 0; k < list.length; k++) { v = list[k]; ${body} }`;

function messageList(field: Field, n: number): FieldCode {
  const tag = tagOf(field, WIRE_BYTES);
  const read = `case ${tag}: ${messageRead(n, listPush(field))}`;
  const rest = { read, initial: listInitial(field), finish: '' };
  if (field.shared) {
    return {
      ...rest,
      measure: `v = encodedList(types[${n}], ${tag}, ${property(field)}); o.note(v); size += v.length;`,
      write: 'o.raw(o.takeNote());',
    };
  }
  return {
    ...rest,
    measure: eachOf(field, messageMeasure(n, uint32Size(tag))),
    write: eachOf(field, messageWrite(n, tag)),
  };
}

/** Strings and bytes each with a tag; numbers are written packed and read both ways. */
function scalarList(field: Field, n: number): FieldCode {
  const { wire, size, write, read } = scalarOf(field, n);
  const push = listPush(field);
  const tag = tagOf(field, wire);
  const one = `case ${tag}: ${push(read)}; break;`;
  const rest = { initial: listInitial(field), finish: '' };
  if (wire === WIRE_BYTES) {
    return {
      ...rest,
      read: one,
      measure: eachOf(field, `size += ${uint32Size(tag)} + ${size};`),
      write: eachOf(field, `o.uint32(${tag}); ${write};`),
    };
  }
  const packed = tagOf(field, WIRE_BYTES);
  const total = `let total = 0; ${eachOf(field, `total += ${size};`)}`;
  const isNotEmpty = 'list !== undefined && list.length > 0';
  return {
    ...rest,
    read: `${one} case ${packed}: { const outer = end; end = i.open(outer); while (i.position < end) ${push(read)}; end = outer; break; }`,
    measure: `{ ${total} if (${isNotEmpty}) size += ${uint32Size(packed)} + dataSize(total); }`,
    write: `{ ${total} if (${isNotEmpty}) { o.uint32(${packed}); o.uint32(total); ${eachOf(field, `${write};`)} } }`,
  };
}

export function compile<T>(fields: readonly Field[]): Compiled<T> {
  const codes = fields.map(codeOf);
  const all = (part: keyof FieldCode) => codes.map((code) => code[part]).join('\n');
  const source = `'use strict';
return {
measure(m, o) { let size = 0; let v; let list;
${all('measure')}
return size; },
write(m, o) { let v; let list;
${all('write')}
},
read(i, end) {
const m = {${all('initial')}};
while (i.position < end) {
const tag = i.tag(end);
switch (tag) {
${all('read')}
default:
if (numbers.has(tag >>> 3)) wrongType(tag);
i.skip(tag, end);
}
}
${all('finish')}
return m; },
};`;
  const surroundings = {
    ...helpers,
    types: fields.map(({ type }) => (type.kind === 'message' ? type.message() : 'enum' in type && type.enum)),
    numbers: new Set(fields.map(({ number }) => number)),
  };
  // oxlint-disable-next-line typescript/no-implied-eval -- the source is made of declarations alone
  const make = new Function(...Object.keys(surroundings), source) as (...values: unknown[]) => Compiled<T>;
  return make(...Object.values(surroundings));
}

const helpers = {
  NO_BYTES,
  bigintSize,
  dataSize,
  encodedList,
  enumNumber,
  enumValue,
  numberSize,
  textSize,
  empty: () => new Input(NO_BYTES),
  wrongType: (tag: number) => {
    throw new WireError(`field ${tag >>> 3} has the wrong wire type`);
  },
};

function enumNumber(type: EnumType, value: string): number {
  const number = type.numbers.get(value) ?? (type.open ? Number(value) : undefined);
  invariant(number !== undefined, 'a value of an enum is one of its names');
  return number;
}

/** @throws WireError */
function enumValue(type: EnumType, number: number): string {
  const value = type.byNumber.get(number) ?? (type.open ? String(number) : undefined);
  if (value === undefined) throw new WireError(`${type.name} has no value ${number}`);
  return value;
}

const encodedLists = new WeakMap<readonly unknown[], Buffer>();
/** Used while another output measures. Lists that are shared are not in each other. */
const listOutput = new Output();

/** The items with their tags. Lists and what is in them do not change. */
function encodedList(type: MessageType<unknown>, tag: number, list: readonly unknown[]): Uint8Array {
  if (list.length === 0) return NO_BYTES;
  const known = encodedLists.get(list);
  if (known !== undefined) return known;
  const output = listOutput;
  output.start();
  let size = 0;
  for (const item of list) {
    const place = output.reserve();
    const itemSize = type.measure(item, output);
    output.setSize(place, itemSize);
    size += uint32Size(tag) + dataSize(itemSize);
  }
  output.allocate(0, size);
  for (const item of list) {
    output.uint32(tag);
    output.uint32(output.takeSize());
    type.write(item, output);
  }
  const encoded = output.finish();
  encodedLists.set(list, encoded);
  return encoded;
}
