/** Patches of all four types against an object that is about as the sample says. */
import type * as z from 'zod';
import { type Body, flip, type Json, jsonBytes, yamlBytes } from './bodies.js';
import { type Random, weighted } from './chance.js';
import { mutate } from './mutate.js';
import { anyValue, oddKeys, text } from './vocabulary.js';

export const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** `sample`: what may be there; it may be changed. */
export function patch(random: Random, sample: Json, schema: z.ZodType): Body {
  const type = random.pick(['json', 'merge', 'strategic', 'strategic', 'apply'] as const);
  const spoil = random.chance(0.1);
  const contentType = random.chance(0.97)
    ? patchTypes[type]
    : random.pick([...Object.values(patchTypes), 'application/json', 'application/apply-patch+cbor', '']);
  if (type === 'json') return { contentType, bytes: jsonBytes(random, operations(random, sample), spoil) };
  const document = part(random, sample, schema);
  if (type === 'strategic') direct(random, document);
  if (type === 'apply') {
    const whole = random.chance(0.7)
      ? { kind: sample['kind'], apiVersion: sample['apiVersion'], ...document }
      : document;
    return {
      contentType,
      bytes: random.chance(0.03)
        ? flip(random, yamlBytes(random, whole, spoil))
        : yamlBytes(random, whole, spoil),
    };
  }
  return { contentType, bytes: jsonBytes(random, document, spoil) };
}

/** Some of the sample, with something wrong in it. */
function part(random: Random, sample: Json, schema: z.ZodType): Json {
  for (let times = random.between(0, 2); times > 0; times--) mutate(random, sample, schema);
  const kept = Object.entries(sample).filter(
    ([key]) => key !== 'kind' && key !== 'apiVersion' && random.chance(0.7),
  );
  const entries = random.chance(0.1) ? [...kept, [random.pick(oddKeys), anyValue(random)] as const] : kept;
  const document: Json = {};
  for (const [key, value] of entries) define(document, key, random.chance(0.1) ? null : value);
  return document;
}

const define = (object: Json, key: string, value: unknown) =>
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Puts directives of strategic merge somewhere into the document. */
function direct(random: Random, document: Json): void {
  if (random.chance(0.5)) return;
  let at: unknown = document;
  let key: string | undefined;
  for (let depth = random.between(0, 4); depth > 0; depth--) {
    const container = at as Json;
    const keys = Object.keys(isObject(at) || Array.isArray(at) ? container : {});
    if (keys.length === 0) break;
    const next = random.pick(keys);
    if (typeof container[next] !== 'object' || container[next] === null) break;
    key = next;
    at = container[next];
  }
  if (Array.isArray(at)) at.push({ $patch: random.pick(['replace', 'delete', 'merge', 'x', 1]) });
  if (!isObject(at)) return;
  const name = key ?? random.pick(['finalizers', 'containers', 'ports', 'spec', 'x']);
  const list = random.chance(0.8)
    ? [text(random), { name: 'main' }, { port: 80 }].slice(0, random.between(0, 3))
    : anyValue(random);
  const [directive, value] = random.pick<readonly [string, unknown]>([
    ['$patch', random.pick(['replace', 'delete', 'merge', 'x', null, {}])],
    ['$retainKeys', random.chance(0.7) ? Object.keys(at) : anyValue(random)],
    [`$setElementOrder/${name}`, list],
    [`$deleteFromPrimitiveList/${name}`, list],
    [random.pick(['$setElementOrder', '$deleteFromPrimitiveList/', '$patch/x', '$x']), anyValue(random)],
  ]);
  define(at, directive, value);
}

function operations(random: Random, sample: Json): unknown {
  const count = weighted(random, [
    [10, random.between(0, 4)],
    [1, random.pick([100, 1000])],
  ]);
  if (random.chance(0.03)) return anyValue(random);
  return Array.from({ length: count }, () => operation(random, sample));
}

function operation(random: Random, sample: Json): unknown {
  if (random.chance(0.02)) return anyValue(random);
  const op: Json = {
    op: random.chance(0.97)
      ? random.pick(['add', 'remove', 'replace', 'move', 'copy', 'test'])
      : random.pick(['x', null, 1, '']),
    path: pointer(random, sample),
  };
  if (random.chance(0.6)) op['value'] = random.chance(0.3) ? text(random) : anyValue(random);
  if (random.chance(0.4)) op['from'] = pointer(random, sample);
  if (random.chance(0.03)) define(op, random.pick(oddKeys), anyValue(random));
  if (random.chance(0.02)) delete op[random.pick(['op', 'path'])];
  return op;
}

/** Mostly to something that is there. */
function pointer(random: Random, sample: Json): unknown {
  if (random.chance(0.02)) return anyValue(random);
  const tokens: string[] = [];
  let at: unknown = sample;
  while (typeof at === 'object' && at !== null && random.chance(0.85)) {
    const keys = Object.keys(at);
    if (keys.length === 0) break;
    const key = random.pick(keys);
    tokens.push(key);
    at = (at as Json)[key];
  }
  if (random.chance(0.15))
    tokens.push(random.pick([...oddKeys, '-', '-1', '0', '01', '99', '1e0', '~', '~2']));
  const path = tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return random.chance(0.02) ? path.slice(1) : path;
}
