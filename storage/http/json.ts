/**
 * The JSON of etcd's gateway, made from the declarations of its messages: names as in them, in their order; 64-bit
 * numbers as text; bytes in base64; what is zero or empty is left out. Both forms of a name are read.
 */
import { emptyOf } from '../grpc/codec/define.js';
import type { EnumType, Field, MessageType, ScalarType } from '../grpc/codec/message.js';
import { DEPTH_MAX } from '../grpc/codec/input.js';

export type JsonObject = { [name: string]: unknown };

/** What the gateway sends for a message. */
export function toJson<T>(type: MessageType<T>, message: T): JsonObject {
  const { shape } = type;
  switch (shape.kind) {
    case 'mapped':
      return toJson(shape.mapping.plain, shape.mapping.to(message));
    case 'union': {
      const chosen = shape.variants.find(({ type }) => type === (message as { readonly type: string }).type);
      return chosen === undefined ? {} : { [chosen.protoName]: toJson(chosen.message, message) };
    }
    default: {
      const json: JsonObject = {};
      for (const field of shape.fields) {
        const value = (message as JsonObject)[field.property];
        if (value !== undefined && !isLeftOut(field, value)) json[field.protoName] = fieldJson(field, value);
      }
      return json;
    }
  }
}

function isLeftOut({ type, repeated, oneof }: Field, value: unknown): boolean {
  if (repeated) return (value as readonly unknown[]).length === 0;
  if (oneof !== undefined || type.kind === 'message') return false;
  if (type.kind === 'enum') return type.enum.numbers.get(value as string) === 0;
  return type.scalar === 'bytes' ? (value as Uint8Array).length === 0 : !value;
}

function fieldJson({ type, repeated }: Field, value: unknown): unknown {
  const one = (item: unknown) => {
    if (type.kind === 'message') return toJson(type.message(), item);
    if (type.kind === 'enum') return type.enum.protoNames.get(item as string);
    return scalarJson(type.scalar, item);
  };
  return repeated ? (value as readonly unknown[]).map(one) : one(value);
}

function scalarJson(scalar: ScalarType, value: unknown): unknown {
  if (scalar === 'bytes') return Buffer.from(value as Uint8Array).toString('base64');
  return scalar === 'string' || scalar === 'bool' || scalar === 'uint32' ? value : String(value);
}

/** Text within quotes, or a number that JavaScript might not hold. */
const TEXT_OR_LONG_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

/** Empty text is an empty message. @throws SyntaxError */
export function parseMessage<T>(type: MessageType<T>, body: string): T {
  if (body.trim() === '') return emptyOf(type);
  const exact = body.replaceAll(TEXT_OR_LONG_NUMBER, (found) =>
    found.startsWith('"') ? found : `"${found}"`,
  );
  return fromJson(type, JSON.parse(exact), DEPTH_MAX);
}

/** @throws SyntaxError */
function fromJson<T>(type: MessageType<T>, json: unknown, depth: number): T {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new SyntaxError('a message is a JSON object');
  }
  if (depth === 0) throw new SyntaxError('messages are nested too deeply');
  const object = json as JsonObject;
  const { shape } = type;
  switch (shape.kind) {
    case 'mapped':
      return shape.mapping.from(fromJson(shape.mapping.plain, json, depth));
    case 'union': {
      const chosen = shape.variants.find(({ protoName }) => given(object, protoName) !== undefined);
      if (chosen === undefined) return emptyOf(type);
      const inner = fromJson(
        chosen.message as MessageType<object>,
        given(object, chosen.protoName),
        depth - 1,
      );
      return { ...inner, type: chosen.type } as T;
    }
    default: {
      const message = { ...(emptyOf(type) as object) } as JsonObject;
      for (const field of shape.fields) {
        const value = given(object, field.protoName);
        if (value !== undefined) message[field.property] = fieldOf(field, value, depth);
      }
      return message as T;
    }
  }
}

/** By either form of its name; null is as good as absent. */
function given(object: JsonObject, protoName: string): unknown {
  const camel = protoName.replaceAll(/_([a-z])/gi, (_match, letter: string) => letter.toUpperCase());
  const own = (name: string) => (Object.hasOwn(object, name) ? object[name] : undefined);
  return own(protoName) ?? own(camel) ?? undefined;
}

function fieldOf({ type, repeated, protoName }: Field, value: unknown, depth: number): unknown {
  const one = (item: unknown): unknown => {
    if (type.kind === 'message') return fromJson(type.message(), item, depth - 1);
    if (type.kind === 'enum') return enumOf(type.enum, protoName, item);
    return scalarOf(type.scalar, protoName, item);
  };
  if (!repeated) return one(value);
  if (!Array.isArray(value)) throw new SyntaxError(`${protoName} is not a list`);
  return value.map(one);
}

function enumOf(type: EnumType, name: string, value: unknown): string {
  for (const [own, proto] of type.protoNames) if (proto === value) return own;
  const number = typeof value === 'string' ? Number(value) : value;
  const found = typeof number === 'number' ? type.byNumber.get(number) : undefined;
  if (found !== undefined) return found;
  if (type.open && Number.isInteger(number)) return String(number);
  throw new SyntaxError(`${name} has no value ${JSON.stringify(value)}`);
}

function scalarOf(scalar: ScalarType, name: string, value: unknown): unknown {
  switch (scalar) {
    case 'bool':
      if (typeof value !== 'boolean') throw new SyntaxError(`${name} is not a boolean`);
      return value;
    case 'string':
      if (typeof value !== 'string') throw new SyntaxError(`${name} is not a string`);
      return value;
    case 'bytes':
      if (typeof value !== 'string' || !/^[\w+/-]*={0,2}$/.test(value)) {
        throw new SyntaxError(`${name} is not base64`);
      }
      return Buffer.from(value, 'base64');
    default:
      return numberOf(scalar, name, value);
  }
}

const INT64_MIN = -(2n ** 63n);
const LIMITS: Readonly<Record<'signed' | 'unsigned' | 'uint32', readonly [bigint, bigint, string]>> = {
  signed: [INT64_MIN, 2n ** 63n - 1n, 'a signed 64-bit number'],
  unsigned: [0n, 2n ** 64n - 1n, 'an unsigned 64-bit number'],
  uint32: [0n, 2n ** 32n - 1n, 'an unsigned 32-bit number'],
};
const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

function numberOf(scalar: Exclude<ScalarType, 'bool' | 'string' | 'bytes'>, name: string, value: unknown) {
  const kind = scalar === 'uint32' ? 'uint32' : scalar.startsWith('u') ? 'unsigned' : 'signed';
  const [min, max, what] = LIMITS[kind];
  const text = typeof value === 'number' ? String(value) : value;
  const number = typeof text === 'string' && /^-?\d{1,20}$/.test(text) ? BigInt(text) : undefined;
  if (number === undefined || number < min || number > max) throw new SyntaxError(`${name} is not ${what}`);
  if (scalar.endsWith('Id')) return number;
  // As from the wire.
  return Number(number > SAFE_MAX ? SAFE_MAX : number < -SAFE_MAX ? -SAFE_MAX : number);
}
