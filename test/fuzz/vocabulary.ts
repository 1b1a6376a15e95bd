/**
 * What the fuzzer's requests are made of. None of these words occurs in a stack trace or in a message of JavaScript:
 * when an answer holds one of those, the server let it out (checker.ts).
 */
import { type Random, weighted } from './chance.js';

export const namespaces = ['default', 'fuzz', 'other', 'kube-system', 'absent'] as const;

/** Few, so that requests meet objects that others made. */
export const names = [
  'a',
  'b',
  'web',
  'x-1',
  'demo',
  'node-a',
  'node-b',
  'default',
  'lock',
  'kubernetes',
] as const;

export const oddNames = [
  '',
  'A',
  '-a',
  'a-',
  'a.b',
  'a..b',
  'a_b',
  'a b',
  'ä',
  '名前',
  '😀',
  '\u0000',
  'a\nb',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '.',
  '..',
  '%',
  '%2f',
  'a/b',
  '\\',
  '"',
  "'",
  '*',
  'a'.repeat(63),
  'a'.repeat(64),
  'a'.repeat(253),
  'a'.repeat(254),
  'a.'.repeat(126),
  'watch',
  'namespaces',
  'status',
] as const;

export const oddTexts = [
  ...oddNames,
  'true',
  'false',
  'null',
  '0',
  '-1',
  '1e9',
  '0x10',
  '1.5Gi',
  '100m',
  '-1n',
  '1e400',
  '10%',
  'http',
  '80',
  'abc',
  '2026-01-02T03:04:05Z',
  '2026-02-30T25:61:61Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999+23:59',
  'dGVzdA==',
  'dGVzdA',
  '====',
  '10.0.0.7',
  '300.1.1.1',
  '::1',
  '127.0.0.1/33',
  '$(VAR)',
  '$$',
  '{{.Name}}',
  '<script>',
  '\ud800',
  '\udfff\ud800',
  '\u202e',
  '\ufeff',
  '\u2028',
  '\u007f',
  'e\u0301',
  'a=b,c=d',
  'in (',
  '!x',
  'x notin (a,b)',
  'kubernetes.io/hostname',
  'v1',
  'apps/v1',
  'a/b/c',
  'Pod',
] as const;

/** Members that mean something to JavaScript and nothing to Kubernetes. */
export const oddKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'toJSON',
  'hasOwnProperty',
  'length',
  'then',
  '',
  '0',
  '-1',
  '$patch',
  '$retainKeys',
  '.',
  'a.b',
  'a/b',
  '\u0000',
  'ключ',
  '\ud800',
] as const;

/** Written into bodies as they stand, since no JavaScript value prints as them. */
export const rawNumbers = [
  '1e400',
  '-1e400',
  '1e-400',
  '-0',
  '0.0',
  '1.5',
  '1e2',
  '2147483647',
  '2147483648',
  '-2147483649',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775809',
  '1e30',
  '123456789012345678901234567890',
] as const;

/** Lengths of long strings: mostly short enough to be many. */
export function longText(random: Random): string {
  const piece = random.pick([
    'a',
    'ab-',
    '0',
    '.',
    '/',
    'é',
    '\u0001',
    '=',
    ',',
    '"',
    '\\',
    '(',
    '%41',
    '😀',
  ]);
  const length = weighted(random, [
    [8, 300],
    [4, 5000],
    [1, 60_000],
  ]);
  return piece.repeat(Math.ceil(length / piece.length));
}

export function text(random: Random): string {
  return weighted(random, [
    [6, () => random.pick(names)],
    [10, () => random.pick(oddTexts)],
    [1, () => longText(random)],
    [2, () => random.pick(oddTexts) + random.pick(oddTexts)],
  ])();
}

/** A JSON value of any type. */
export function anyValue(random: Random, depth = 0): unknown {
  return weighted<() => unknown>(random, [
    [3, () => null],
    [3, () => random.chance(0.5)],
    [4, () => random.pick([0, 1, -1, 3, 65_535, 65_536, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63)])],
    [2, () => raw(random.pick(rawNumbers))],
    [6, () => text(random)],
    [
      depth > 3 ? 0 : 3,
      () => Array.from({ length: random.between(0, 3) }, () => anyValue(random, depth + 1)),
    ],
    [
      depth > 3 ? 0 : 3,
      () =>
        Object.fromEntries(
          Array.from({ length: random.between(0, 3) }, () => [
            random.chance(0.5) ? random.pick(oddKeys) : text(random).slice(0, 40),
            anyValue(random, depth + 1),
          ]),
        ),
    ],
  ])();
}

const RAW = '@raw:';

/** Stands in a value for a piece of JSON text. */
export const raw = (json: string): string => `${RAW}${json}@`;

/** JSON text with the raw pieces in. */
export const stringify = (value: unknown): string =>
  (JSON.stringify(value) ?? 'null').replace(/"@raw:([^@"]*)@"/g, '$1');
