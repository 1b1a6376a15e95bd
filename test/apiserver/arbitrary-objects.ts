/** Random objects of a kind, in the form in which they are stored and sent. */
import type * as z from 'zod';
import { decodeSchema } from '../../schemas/decode.js';
import type { KubeObject } from '../../schemas/definition.js';
import { metaOf, type StructOr } from '../../schemas/fields.js';
import { defOf, type Json } from '../../schemas/walk.js';

type Random = () => number;

/** Numbers in [0, 1), always the same for one seed. */
function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TEXTS = [
  '',
  'a',
  'default',
  'é',
  '日本',
  '😀 x',
  'x'.repeat(31),
  'y'.repeat(33),
  'z'.repeat(130),
  'ü'.repeat(200),
];
const KEYS = ['a', 'b.example.com/c', '__proto__', 'é', '\u{1f600}', '\uffee', 'constructor', ''];
const INT32 = [0, 1, -1, 80, 127, 128, 16_384, 2 ** 31 - 1, -(2 ** 31)];
const INT64 = [...INT32, 2 ** 31, 2 ** 32 + 5, 2 ** 53 - 1, -(2 ** 53 - 1)];
const DOUBLES = [0, 1, -1.5, 1e300, 5e-324];
const QUANTITIES = ['0', '100m', '1Gi', '1500m', '5e3', 7];
const ANY = [
  {},
  { a: [1, 'x', null, { '.': {} }] },
  { 'f:metadata': { 'f:labels': { '.': {}, 'f:é': {} } } },
];

/** An object as Go would print it. */
export function randomObject(
  schema: z.ZodType,
  type: Pick<KubeObject, 'apiVersion' | 'kind'>,
  seed: number,
): KubeObject {
  const random = randomOf(seed);
  // Some are nearly empty and some nearly full.
  const fullness = random();
  const decoded = decodeSchema<KubeObject>(schema, {
    ...(valueOf(schema, random, fullness) as Json),
    ...type,
  });
  if ('typeError' in decoded) throw new Error(decoded.typeError);
  return decoded.object;
}

function pick<T>(random: Random, from: readonly T[]): T {
  const value = from[Math.floor(random() * from.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}

const listOf = (random: Random, item: () => unknown): unknown[] =>
  Array.from({ length: Math.floor(random() * 4) }, item);

function valueOf(schema: z.ZodType, random: Random, fullness: number): unknown {
  const def = defOf(schema);
  const meta = metaOf(schema);
  if (def.type === 'optional') return valueOf(def.innerType, random, fullness);
  if (meta.anyValue) return pick(random, ANY);
  if (meta.structOr !== undefined) return structOrValue(meta.structOr, random, fullness);
  if (meta.scalarId !== undefined) return scalarOf(meta.scalarId.split('.').at(-1) ?? '', random);
  switch (def.type) {
    case 'object': {
      // What an object inside another one is, its message does not say.
      const isKind = 'metadata' in def.shape || (meta.structId?.endsWith('.DeleteOptions') ?? false);
      return Object.fromEntries(
        Object.entries(def.shape).flatMap(([name, field]) => {
          if (random() >= fullness || (isKind && isTypeMeta(name))) return [];
          const value = valueOf(field, random, fullness * 0.8);
          // In a body an empty list of these means something; it is never stored.
          return name === 'managedFields' && (value as unknown[]).length === 0 ? [] : [[name, value]];
        }),
      );
    }
    case 'array':
      return listOf(random, () => valueOf(def.element, random, fullness));
    case 'record':
      return Object.fromEntries(
        listOf(random, () => [pick(random, KEYS), valueOf(def.valueType, random, fullness)]) as [
          string,
          unknown,
        ][],
      );
    case 'boolean':
      return random() < 0.5;
    case 'number':
      return pick(random, meta.format === 'int32' ? INT32 : meta.format === 'double' ? DOUBLES : INT64);
    default:
      if (meta.format === 'byte') return Buffer.from(pick(random, TEXTS)).toString('base64');
      return pick(random, meta.enum ?? TEXTS);
  }
}

function structOrValue({ struct, other }: StructOr, random: Random, fullness: number): unknown {
  const one = () => valueOf(struct(), random, fullness / 2);
  if (random() < 0.5) return one();
  if (other === 'boolean') return random() < 0.5;
  // An empty list is no value.
  return [other === 'structs' ? one() : pick(random, TEXTS)];
}

const isTypeMeta = (name: string): boolean => name === 'kind' || name === 'apiVersion';

function scalarOf(name: string, random: Random): unknown {
  const time = new Date(Math.floor(random() * 4e12)).toISOString();
  if (name === 'Quantity') return pick(random, QUANTITIES);
  if (name === 'IntOrString') return random() < 0.5 ? pick(random, INT32) : pick(random, TEXTS);
  if (name === 'MicroTime')
    return time.replace('Z', `${String(Math.floor(random() * 1000)).padStart(3, '0')}Z`);
  return name === 'Time' ? time : pick(random, TEXTS);
}
