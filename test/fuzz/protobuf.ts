/** Objects in Kubernetes' protobuf form, for the fuzzer to damage. What does not fit its message is left out. */
import { fieldsOf } from '../../apiserver/http/serializers/protobuf-fields.js';
import type { ResourceDefinition } from '../../schemas/definition.js';
import { apiVersion } from './catalogue.js';

type Json = Record<string, unknown>;

function varint(value: number): Buffer {
  let rest = BigInt.asUintN(64, BigInt(Number.isSafeInteger(value) ? value : 0));
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const lengthDelimited = (field: number, bytes: Buffer): Buffer =>
  Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
const integer = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);

/** The envelope with the object's message in it. */
export function encodeProtobuf(object: Json, definition: ResourceDefinition | undefined): Buffer {
  const { group = '', version = 'v1', kind = '' } = definition ?? {};
  const name = `${group === '' ? 'core' : group.split('.')[0]}.${version}.${kind}`;
  const typeMeta = Buffer.concat([
    lengthDelimited(1, Buffer.from(definition === undefined ? 'v1' : apiVersion(definition))),
    lengthDelimited(2, Buffer.from(kind)),
  ]);
  return Buffer.concat([
    Buffer.from('k8s\0'),
    lengthDelimited(1, typeMeta),
    lengthDelimited(2, message(object, name)),
    lengthDelimited(3, Buffer.alloc(0)),
    lengthDelimited(4, Buffer.alloc(0)),
  ]);
}

function message(object: Json, type: string): Buffer {
  const parts: Buffer[] = [];
  for (const { number: field, name, shape, type: held } of fieldsOf(type)) {
    if (shape === 'embedded') {
      parts.push(lengthDelimited(field, message(object, held)));
      continue;
    }
    const given = Object.hasOwn(object, name) ? object[name] : undefined;
    if (given === undefined || given === null) continue;
    if (shape === 'list') {
      for (const item of Array.isArray(given) ? (given as unknown[]) : [])
        parts.push(value(field, item, held));
    } else if (shape === 'map') {
      for (const [key, item] of Object.entries(asObject(given))) {
        const entry = Buffer.concat([lengthDelimited(1, Buffer.from(key)), value(2, item, held)]);
        parts.push(lengthDelimited(field, entry));
      }
    } else parts.push(value(field, given, held));
  }
  return Buffer.concat(parts);
}

const asObject = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? (value as Json) : {};

/** Objects have no place in a text. */
function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function value(field: number, given: unknown, type: string): Buffer {
  switch (type) {
    case 'int':
    case 'bool':
      return integer(field, Math.trunc(Number(asText(given))) || 0);
    case 'double': {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(Number(asText(given)) || 0);
      return Buffer.concat([varint(field * 8 + 1), bytes]);
    }
    case 'string':
      return lengthDelimited(field, Buffer.from(asText(given)));
    case 'bytes':
      return lengthDelimited(field, Buffer.from(asText(given), 'base64'));
    case 'meta.v1.Time':
    case 'meta.v1.MicroTime':
      return lengthDelimited(field, integer(1, Math.floor(Date.parse(asText(given)) / 1000) || 0));
    case 'resource.Quantity':
      return lengthDelimited(field, lengthDelimited(1, Buffer.from(asText(given))));
    case 'intstr.IntOrString':
      return lengthDelimited(
        field,
        typeof given === 'number'
          ? integer(2, given)
          : Buffer.concat([integer(1, 1), lengthDelimited(3, Buffer.from(asText(given)))]),
      );
    case 'meta.v1.FieldsV1':
      return lengthDelimited(field, lengthDelimited(1, Buffer.from(JSON.stringify(given))));
    default:
      return lengthDelimited(field, message(asObject(given), type));
  }
}
