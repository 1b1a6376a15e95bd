/** Objects as bytes, by media type, right and wrong. */
import { stringify as toYaml } from 'yaml';
import type { ResourceDefinition } from '../../schemas/definition.js';
import { type Random, weighted } from './chance.js';
import { encodeProtobuf } from './protobuf.js';
import { longText, oddTexts, stringify } from './vocabulary.js';

export type Json = Record<string, unknown>;

export interface Body {
  readonly contentType: string | undefined;
  readonly bytes: Buffer;
}

export const mediaTypes = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
} as const;

/** Bytes of the deepest nesting. */
const NESTING = 20_000;

/** `object` in one of the three forms. `definition`: whose protobuf message it is. */
export function body(random: Random, object: Json, definition: ResourceDefinition | undefined): Body {
  const media = weighted(random, [
    [12, 'json' as const],
    [4, 'yaml' as const],
    [definition === undefined ? 0 : 3, 'protobuf' as const],
  ]);
  const spoil = random.chance(0.15);
  const bytes =
    media === 'json'
      ? jsonBytes(random, object, spoil)
      : media === 'yaml'
        ? yamlBytes(random, object, spoil)
        : protobufBytes(random, object, definition, spoil);
  return { contentType: declared(random, media), bytes };
}

/** Mostly the right media type. */
function declared(random: Random, media: keyof typeof mediaTypes): string | undefined {
  return weighted<() => string | undefined>(random, [
    [60, () => mediaTypes[media]],
    [2, () => `${mediaTypes[media]}; charset=utf-8`],
    [1, () => mediaTypes[media].toUpperCase()],
    [1, () => undefined],
    [1, () => random.pick(Object.values(mediaTypes))],
    [
      1,
      () =>
        random.pick([
          'text/plain',
          'application/json, application/yaml',
          ';',
          'application/',
          '*/*',
          'a/b/c',
        ]),
    ],
  ])();
}

export function jsonBytes(random: Random, value: unknown, spoil: boolean): Buffer {
  const text = stringify(value);
  return spoil ? spoilJson(random, text) : Buffer.from(text);
}

/** A text that is no JSON any more, or that says more than it should. */
function spoilJson(random: Random, text: string): Buffer {
  const at = random.between(0, text.length);
  const insert = (what: string) => Buffer.from(text.slice(0, at) + what + text.slice(at));
  return weighted<() => Buffer>(random, [
    [3, () => Buffer.from(text.slice(0, at))],
    [
      3,
      () =>
        insert(
          random.pick([
            '"',
            '{',
            '}',
            '[',
            ']',
            ',',
            ':',
            '\\',
            '\u0000',
            '/**/',
            '\ufeff',
            'NULL',
            '+1',
            '1e',
            '\n',
          ]),
        ),
    ],
    [3, () => flip(random, Buffer.from(text))],
    [3, () => Buffer.from(duplicated(random, text))],
    [1, () => Buffer.from(`${text}${random.pick(['x', '{}', ',', '\u0000', '  ', text])}`)],
    [
      1,
      () =>
        Buffer.from(
          random.pick(['', 'null', '[]', '"x"', '1', 'true', '{', '{}', '{"":0}', '\ufeff{}', ' ']),
        ),
    ],
    [1, () => Buffer.from(nested(random))],
    [
      1,
      () =>
        Buffer.from(
          text.replace(
            /:"[^"]*"/,
            `:"${random.pick(['\\ud800', '\\udc00\\ud800', '\\u0000', '\\u00', '\\x41', '\t'])}"`,
          ),
        ),
    ],
    [
      1,
      () =>
        Buffer.concat([
          Buffer.from(text.slice(0, at)),
          Buffer.from([0xc3, 0x28, 0xff, 0xed, 0xa0, 0x80]),
          Buffer.from(text.slice(at)),
        ]),
    ],
    [1, () => Buffer.from(text.replaceAll(/[,:]/g, (mark) => `${mark}${' '.repeat(20)}\n`))],
  ])();
}

/** One member twice, at some depth. */
function duplicated(random: Random, text: string): string {
  const members = [...text.matchAll(/"[^"\\]{1,40}":/g)];
  if (members.length === 0) return text;
  const { 0: member, index } = random.pick(members);
  const value = random.pick(['null', '"x"', '0', '{}', '[]', '{"a":1,"a":2}']);
  return `${text.slice(0, index)}${member}${value},${text.slice(index)}`;
}

function nested(random: Random): string {
  const depth = random.pick([999, 1000, 1001, 1002, NESTING]);
  const [open, close] = random.pick([['[', ']'] as const, ['{"a":', '}'] as const]);
  const inside = `${open.repeat(depth)}1${random.chance(0.7) ? close.repeat(depth) : ''}`;
  return random.chance(0.5) ? inside : `{"metadata":{"name":"a"},"data":${inside}}`;
}

/** One to three bits. */
export function flip(random: Random, bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes;
  for (let times = random.between(1, 3); times > 0; times--) {
    const at = random.between(0, bytes.length - 1);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.between(0, 7));
  }
  return bytes;
}

export function yamlBytes(random: Random, value: unknown, spoil: boolean): Buffer {
  const plain: unknown = JSON.parse(safeJson(value));
  // JSON is YAML too, and cheaper.
  const text = random.chance(0.5) ? JSON.stringify(plain, undefined, 1) : toYaml(plain);
  return spoil ? spoilYaml(random, text) : Buffer.from(text);
}

/** Numbers too large for a double would become infinite. */
const safeJson = (value: unknown): string => stringify(value).replaceAll(/1e400\b/g, '1e300');

function spoilYaml(random: Random, text: string): Buffer {
  const lines = text.split('\n');
  const at = random.between(0, lines.length);
  const insert = (line: string) => Buffer.from([...lines.slice(0, at), line, ...lines.slice(at)].join('\n'));
  return weighted<() => Buffer>(random, [
    [4, () => insert(random.pick(yamlLines))],
    [2, () => insert(`${' '.repeat(random.between(0, 4))}${random.pick(yamlLines)}`)],
    [2, () => flip(random, Buffer.from(text))],
    [1, () => Buffer.from(`${text}\n---\n${text}`)],
    [1, () => Buffer.from(bomb(random))],
    [
      1,
      () =>
        Buffer.from(
          text.replace(
            /: (?=\S)/,
            `: ${random.pick(['&a ', '*a ', '!!binary ', '!!python/object:x ', '!local ', '| ', '>- ', '? ', '@', '`', '%'])}`,
          ),
        ),
    ],
    [
      1,
      () =>
        Buffer.from(
          random.pick([
            '',
            '---',
            '...',
            '%YAML 9.9\n---\na: 1',
            '%TAG ! x\n',
            '\t',
            '- a',
            '? {a: 1}\n: 2',
            '? [a]\n: b',
            '&a [*a]',
            '&a {b: *a}',
            '<<: *a',
            '"\\uD800"',
            '!!set {a}',
            '1:2:3',
            '- - - -',
            '*x',
            'a: b: c',
            '#',
            '\u0000',
            '\ufeffa: 1',
          ]),
        ),
    ],
    [1, () => Buffer.from(random.pick(['[', '{a: ', '- ', '? ']).repeat(random.pick([900, 1001, 5000])))],
    [
      1,
      () =>
        Buffer.from(`data:\n  k: ${random.pick(['"', "'", '|\n    ', '>\n    ', ''])}${longText(random)}`),
    ],
  ])();
}

const yamlLines = [
  '<<: *x',
  'a: &x {b: 1}',
  'a: *x',
  'a: yes',
  'a: 0777',
  'a: 0o17',
  'a: 1_000',
  'a: .inf',
  'a: -.INF',
  'a: .nan',
  'a: 1e400',
  'a: 12:30:45',
  'a: 2026-01-02',
  'a: ~',
  'a:',
  ': a',
  '? a',
  '? [a, b]',
  '- a',
  '\ta: b',
  'a: !!str 1',
  'a: !!int x',
  'a: !!float 1',
  'a: !!bool 1',
  'a: !!null x',
  'a: !!binary dGVzdA==',
  'a: !<tag:x> b',
  'a: "\\x"',
  'a: [b',
  'a: {b',
  'a: |',
  'a: >2-',
  '...',
  '---',
  '# x',
  '__proto__: {x: 1}',
  'metadata: {name: a}',
  'metadata: {name: a}',
  '1: a',
  'null: a',
  'true: a',
  '0x1: a',
  '"a\\u0000": b',
] as const;

/** Aliases of aliases: short to send, long to write out. */
function bomb(random: Random): string {
  const width = random.pick([2, 10, 101]);
  const levels = random.pick([3, 9, 40]);
  const list = random.chance(0.5);
  const lines = [`a0: &a0 ${list ? '[x]' : '{x: y}'}`];
  for (let level = 1; level < levels; level++) {
    const uses = Array.from({ length: width }, (_, index) =>
      list ? `*a${level - 1}` : `k${index}: *a${level - 1}`,
    );
    lines.push(`a${level}: &a${level} ${list ? `[${uses.join(', ')}]` : `{${uses.join(', ')}}`}`);
  }
  return lines.join('\n');
}

function protobufBytes(
  random: Random,
  object: Json,
  definition: ResourceDefinition | undefined,
  spoil: boolean,
): Buffer {
  const bytes = encodeProtobuf(object, definition);
  if (!spoil) return bytes;
  return weighted<() => Buffer>(random, [
    [4, () => flip(random, bytes)],
    [2, () => bytes.subarray(0, random.between(0, bytes.length))],
    [1, () => Buffer.concat([bytes, Buffer.from(random.pick(oddTexts))])],
    [
      1,
      () =>
        Buffer.concat([
          Buffer.from('k8s\0'),
          Buffer.from(Array.from({ length: random.between(0, 60) }, () => random.between(0, 255))),
        ]),
    ],
    [1, () => hugeLength(random, bytes)],
  ])();
}

/** A length that reaches far beyond the end. */
function hugeLength(random: Random, bytes: Buffer): Buffer {
  const at = random.between(4, Math.max(4, bytes.length - 1));
  const length = random.pick([
    [0xff, 0xff, 0xff, 0xff, 0x7f],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    [0x80],
  ]);
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(length), bytes.subarray(at)]);
}
