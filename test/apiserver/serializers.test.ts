/** Bodies in JSON, YAML and protobuf: what they decode to, and kube-apiserver's words for what does not decode. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import { StatusError } from '../../apiserver/errors.js';
import {
  countMembers,
  duplicateFields,
  DUPLICATES_REPORTED_MAX,
  NESTING_MAX,
} from '../../apiserver/http/serializers/duplicates.js';
import { jsonSyntaxProblem } from '../../schemas/go-json.js';
import {
  type DecodeHint,
  jsonSerializer,
  protobufSerializer,
  type Serializer,
  warningsOf,
  yamlSerializer,
} from '../../apiserver/http/serializers/index.js';
import { messageOf } from '../../apiserver/http/serializers/protobuf-kinds.js';
import { WireReader } from '../../apiserver/http/serializers/protobuf-wire.js';
import { parseByLibrary, parseYaml, YAML_ALIASES_MAX } from '../../apiserver/http/serializers/yaml.js';
import {
  readYaml,
  readYamlAhead,
  YAML_AHEAD_BYTES_MIN,
} from '../../apiserver/http/serializers/yaml-ahead.js';
import { MARKS_MAX } from '../../apiserver/http/serializers/json-numbers.js';
import { parseJson } from '../../apiserver/http/serializers/json.js';
import { readOrdinaryYaml, UNSURE } from '../../apiserver/http/serializers/yaml-ordinary.js';
import { decodeObject } from '../../schemas/decode.js';
import type { ResourceDefinition } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import { skip } from '../schemas/facts.js';
import { repository } from '../tools/wherry.js';
import { bytes, envelope, int, recordedMessages, varint } from './protobuf-tools.js';

const registered = new Set(['v1 ConfigMap', 'v1 Pod', 'v1 Event', 'events.k8s.io/v1 Event']);
const hint: DecodeHint = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  strict: true,
  isRegistered: (group, version, kind) =>
    registered.has(`${group === '' ? '' : `${group}/`}${version} ${kind}`),
};

const decode = (serializer: Serializer, body: string | Buffer, more: Partial<DecodeHint> = {}) =>
  serializer.decode(Buffer.from(body as string), { ...hint, ...more });

/** The message of the 400 that decoding ends with. */
function refusal(serializer: Serializer, body: string | Buffer, more: Partial<DecodeHint> = {}): string {
  try {
    decode(serializer, body, more);
  } catch (error) {
    if (error instanceof StatusError && error.code === 400 && error.reason === 'BadRequest')
      return error.message;
    throw error;
  }
  return 'accepted';
}

const PROBE =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

t.test('JSON: kind and apiVersion are filled in where they are absent', (t) => {
  const expected = { metadata: { name: 'a' }, kind: 'ConfigMap', apiVersion: 'v1' };
  for (const extra of [{}, { kind: 'ConfigMap' }, { apiVersion: 'v1' }, { kind: '', apiVersion: '' }]) {
    const { object, strictErrors } = decode(
      jsonSerializer,
      JSON.stringify({ metadata: { name: 'a' }, ...extra }),
    );
    t.same(object, expected, JSON.stringify(extra));
    t.same(strictErrors, []);
  }
  t.same(
    decode(jsonSerializer, 'null').object,
    { kind: 'ConfigMap', apiVersion: 'v1' },
    'null is an empty object',
  );
  t.end();
});

t.test('JSON: what is no object of the kind is refused with the text of kube-apiserver', (t) => {
  const unrecognized = 'the object provided is unrecognized (must be of type ConfigMap): ';
  const parse = `${unrecognized}couldn't get version/kind; json parse error: `;
  const scheme = 'in scheme "k136/pkg/api/legacyscheme/scheme.go:30"';
  const rows: [body: string, message: string][] = [
    ['', `${parse}unexpected end of JSON input (<empty>)`],
    ['[]', `${parse}json: cannot unmarshal array into Go value of type ${PROBE} (5b5d)`],
    ['"text"', `${parse}json: cannot unmarshal string into Go value of type ${PROBE} (227465787422)`],
    ['{bad', `${parse}invalid character 'b' looking for beginning of object key string ({bad)`],
    [
      '{"kind":5}',
      `${parse}json: cannot unmarshal number into Go struct field .kind of type string ({"kind":5})`,
    ],
    [
      `{"apiVersion":["v1"],"x":"${'y'.repeat(40)}"}`,
      `${parse}json: cannot unmarshal array into Go struct field .apiVersion of type string ({"apiVersion":["v1"],"x":"yyyy ...)`,
    ],
    [
      '{"apiVersion":"a/b/c"}',
      `${unrecognized}unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c"})`,
    ],
    [
      '{"apiVersion":"v2","kind":"ConfigMap"}',
      `ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" ${scheme}`,
    ],
    [
      '{"apiVersion":"v1","kind":"Widget"}',
      `Widget in version "v1" cannot be handled as a ConfigMap: no kind "Widget" is registered for version "v1" ${scheme}`,
    ],
    [
      '{"apiVersion":"v1","kind":"Pod"}',
      'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion',
    ],
  ];
  for (const [body, message] of rows) t.equal(refusal(jsonSerializer, body), message, body);
  t.end();
});

t.test('DeleteOptions is known in every group and version', (t) => {
  const options = { kind: 'DeleteOptions' };
  t.same(
    decode(jsonSerializer, '{"apiVersion":"apps/v1","kind":"DeleteOptions","gracePeriodSeconds":1}', options)
      .object,
    {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 1,
    },
  );
  t.end();
});

t.test('JSON: numbers that are no integers to Go are marked, and nothing else is', (t) => {
  const marked = (text: string) => decode(jsonSerializer, `{"metadata":{"name":"a"},${text}}`).marked;
  for (const text of [
    '"a":1',
    '"a":9007199254740993',
    '"a":-9223372036854775808',
    '"a":"b:1.5, 1e3"',
    '"1.5":1',
  ])
    t.equal(marked(text), undefined, text);
  const { object, written } =
    marked('"a":[1.0, 2 ,-1E2],"b":{"c\\"":9223372036854775808,"1.0":"[1.5"}') ?? {};
  t.match(object, { a: [0.5, 2, 1.5], b: { 'c"': 2.5, '1.0': '[1.5' } });
  t.same(
    written,
    new Map([
      ['0.5', '1.0'],
      ['1.5', '-1E2'],
      ['2.5', '9223372036854775808'],
    ]),
  );
  const many = marked(`"a":[${'1.0,'.repeat(MARKS_MAX)}1.0]`)?.object as { readonly a?: readonly number[] };
  t.same(many.a?.slice(-2), [MARKS_MAX - 0.5, 1], 'but only so many');
  t.end();
});

t.test("JSON: syntax errors have Go's messages", (t) => {
  const rows: [text: string, message: string][] = [
    ['', 'unexpected end of JSON input'],
    ['{"a":', 'unexpected end of JSON input'],
    ['[1', 'unexpected end of JSON input'],
    ['"a', 'unexpected end of JSON input'],
    // Inside a literal Go meets a space at the end.
    ['nul', "invalid character ' ' in literal null (expecting 'l')"],
    ['[-', "invalid character ' ' in numeric literal"],
    ['1.', "invalid character ' ' after decimal point in numeric literal"],
    ['"\\u1', "invalid character ' ' in \\u hexadecimal character escape"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{1:2}', "invalid character '1' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{"a":[{}}', "invalid character '}' after array element"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['01', "invalid character '1' after top-level value"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1e+x', "invalid character 'x' in exponent of numeric literal"],
    ['tru3', "invalid character '3' in literal true (expecting 'e')"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ["'a'", "invalid character '\\'' looking for beginning of value"],
    ['é', "invalid character 'Ã' looking for beginning of value"],
  ];
  for (const [text, message] of rows) t.equal(jsonSyntaxProblem(text), message, text);
  t.match(jsonSyntaxProblem('['.repeat(1_000_000)), 'unexpected end', 'nesting does not overflow the stack');
  t.end();
});

t.test('JSON: the scanner stops where JSON.parse does', (t) => {
  const broken = fc
    .tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.constantFrom('', 'x', ',', '}', ']', '"', ':', '1'))
    .map(([json, at, insert]) => {
      const place = at % (json.length + 1);
      return json.slice(0, place) + insert + json.slice(place + (insert === '' ? 1 : 0));
    });
  fc.assert(
    fc.property(broken, (text) => {
      try {
        JSON.parse(text);
      } catch {
        return /^(unexpected end of JSON input|invalid character '.+' .+)$/su.test(jsonSyntaxProblem(text));
      }
      return true;
    }),
    { numRuns: 500 },
  );
  t.end();
});

t.test('JSON: nesting is limited', (t) => {
  const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  t.equal(refusal(jsonSerializer, nested(NESTING_MAX)), 'accepted');
  t.match(refusal(jsonSerializer, nested(NESTING_MAX + 1)), 'json parse error: exceeded max depth');
  t.match(refusal(jsonSerializer, nested(1_000_000)), 'json parse error: exceeded max depth');
  t.end();
});

t.test('JSON: fields given twice are told, the last one counts', (t) => {
  const text =
    '{"metadata":{"name":"a"},"data":{"k":"1","k":"2","k":"3"},"l":[{"x":1,"x":2},{"x":1}],"data":{"j":"1"}}';
  const { object, strictErrors } = decode(jsonSerializer, text);
  t.same(strictErrors, ['duplicate field "data.k"', 'duplicate field "l[0].x"', 'duplicate field "data"']);
  t.same(object['data'], { j: '1' });
  t.same(decode(jsonSerializer, text, { strict: false }).strictErrors, [], 'only when asked');
  t.same(warningsOf(strictErrors), strictErrors);
  t.end();
});

t.test('JSON: duplicates are found exactly where they are', (t) => {
  const key = fc.constantFrom('a', 'b', '"', '\\', ':', '{', 'é', '__proto__', '');
  const string = fc.string({ unit: fc.constantFrom('"', '\\', ':', '{', '}', ',', ' ', 'é', 'a') });
  /** JSON texts with a count of the repeated members among them. */
  const { value } = fc.letrec<{ value: { text: string; repeated: number } }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      string.map((text) => ({ text: JSON.stringify(text), repeated: 0 })),
      fc.constantFrom('1', 'true', 'null', '[]', '{}').map((text) => ({ text, repeated: 0 })),
      fc.array(tie('value'), { maxLength: 3 }).map((items) => ({
        text: `[ ${items.map((item) => item.text).join(' ,')}]`,
        repeated: items.reduce((sum, item) => sum + item.repeated, 0),
      })),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((members) => ({
        text: `{${members.map(([name, member]) => `${JSON.stringify(name)} : ${member.text}`).join(',\n')}}`,
        repeated:
          members.length -
          new Set(members.map(([name]) => name)).size +
          members.reduce((sum, [, member]) => sum + member.repeated, 0),
      })),
    ),
  }));
  fc.assert(
    fc.property(value, ({ text, repeated }) => {
      const found = duplicateFields(text, countMembers(JSON.parse(text)));
      return repeated === 0 ? found.length === 0 : found.length > 0 && found.length <= repeated;
    }),
    { numRuns: 500 },
  );
  t.end();
});

t.test('JSON: so many duplicates are reported and no more', (t) => {
  const twice = (count: number) =>
    `{${Array.from({ length: count }, (_, index) => `"k${index}":1,"k${index}":2`).join(',')}}`;
  t.equal(
    decode(jsonSerializer, twice(DUPLICATES_REPORTED_MAX)).strictErrors.length,
    DUPLICATES_REPORTED_MAX,
  );
  t.equal(
    decode(jsonSerializer, twice(DUPLICATES_REPORTED_MAX + 1)).strictErrors.length,
    DUPLICATES_REPORTED_MAX,
  );
  t.end();
});

t.test('__proto__ is a field like any other, in JSON and YAML', (t) => {
  for (const [serializer, body] of [
    [jsonSerializer, '{"__proto__":{"polluted":true}}'],
    [yamlSerializer, '__proto__: {polluted: true}'],
  ] as const) {
    const { object } = decode(serializer, body);
    t.ok(Object.hasOwn(object, '__proto__'));
    t.equal(({} as Record<string, unknown>)['polluted'], undefined);
    t.equal(object['polluted'], undefined);
  }
  t.end();
});

t.test("YAML 1.1 is read as Kubernetes' library reads it", (t) => {
  const text = [
    '---',
    'yes: yes',
    'off: off',
    'octal: 0777',
    'hex: 0x1F',
    'sixty: 1:30',
    'date: 2020-01-01',
    'time: 2020-01-01T00:00:00Z',
    'float: 1.5',
    'quoted: "yes"',
    'none: ~',
    '1: number',
    'base: &base {a: 1}',
    'merged: {<<: *base, b: 2}',
    'block: |',
    '  two',
    '  lines',
    '---',
    '',
  ].join('\n');
  const { kind, apiVersion, ...object } = decode(yamlSerializer, text).object;
  t.strictSame(object, {
    true: true,
    false: false,
    octal: 511,
    hex: 31,
    sixty: '1:30',
    date: '2020-01-01',
    time: '2020-01-01T00:00:00Z',
    float: 1.5,
    quoted: 'yes',
    none: null,
    1: 'number',
    base: { a: 1 },
    merged: { a: 1, b: 2 },
    block: 'two\nlines\n',
  });
  t.same([kind, apiVersion], ['ConfigMap', 'v1']);
  t.end();
});

/** What sigs.k8s.io/yaml makes of a plain scalar. */
interface Scalar {
  readonly value?: unknown;
  readonly problem?: string;
}

t.test('YAML: keys given twice are told with their lines', (t) => {
  const text =
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: d1\ndata:\n  k: a\n  k: b\n  j: a\n  j: b\n';
  const { object, strictErrors } = decode(yamlSerializer, text);
  t.same(strictErrors, [
    'yaml: unmarshal errors:\n  line 7: key "k" already set in map\n  line 9: key "j" already set in map',
  ]);
  t.same(warningsOf(strictErrors), [
    'line 7: key "k" already set in map',
    'line 9: key "j" already set in map',
  ]);
  t.same(object['data'], { k: 'b', j: 'b' });
  t.same(decode(yamlSerializer, text, { strict: false }).strictErrors, []);
  t.end();
});

t.test('YAML: plain scalars are what upstream’s library makes of them', (t) => {
  const text = readFileSync(join(repository, 'test/fixtures/yaml-scalars.json'), 'utf8');
  for (const [scalar, { value, problem }] of Object.entries(JSON.parse(text) as Record<string, Scalar>)) {
    const { value: object, problem: mine } = parseYaml(`a: ${scalar}\n`);
    if (problem === undefined) t.strictSame(object, { a: value }, scalar);
    else t.equal(mine, problem, scalar);
  }
  t.same(parseYaml('a: !!binary aGk=').value, { a: 'hi' });
  t.match(parseYaml('a: !!binary a-').problem, 'invalid base64');
  t.same(parseYaml('.inf: 1\n-.INF: 2\n+.inf: 3\n.NaN: 4').value, { '.inf': 3, '-.inf': 2, '.nan': 4 });
  t.end();
});

t.test('YAML: bad syntax, other values and endless aliases are refused, other documents ignored', (t) => {
  const first = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: first}\n';
  const { object } = decode(yamlSerializer, `${first}---\n${first.replace('first', 'second')}`);
  t.match(object['metadata'], { name: 'first' });
  for (const key of ['null: 1', '~: 1']) t.match(refusal(yamlSerializer, key), 'invalid map key');
  t.match(refusal(yamlSerializer, 'a: [1\nb: 2'), /^the object provided is unrecognized .*: yaml: line 2: /);
  t.match(refusal(yamlSerializer, 'a: b\n? [a]\n: b'), 'yaml: line 2: invalid map key');
  t.match(refusal(yamlSerializer, 'a: &a {b: c}\nd: {*a : e}'), 'yaml: line 2: invalid map key');
  const merge = 'yaml: map merge requires map or sequence of maps as the value';
  for (const bad of ['<<: 1', 'a: &a x\n<<: *a', 'data: {<<: [1]}'])
    t.match(refusal(yamlSerializer, bad), merge);
  t.match(refusal(yamlSerializer, '- a'), 'cannot unmarshal array into Go value of type struct');
  t.match(refusal(yamlSerializer, '[['.repeat(NESTING_MAX) + ']]'.repeat(NESTING_MAX)), 'exceeded max depth');
  const excessive = 'yaml: document contains excessive aliasing';
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg']) {
    bomb.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(', ')}]`);
  }
  t.match(refusal(yamlSerializer, bomb.join('\n')), excessive);
  const long = `a: &a ${'x'.repeat(100_000)}\nb: [${Array(40).fill('*a').join(', ')}]`;
  t.match(refusal(yamlSerializer, long), excessive, 'few aliases of much');
  const uses = (count: number) => `a: &a 1\nb: [${Array(count).fill('*a').join(', ')}]`;
  t.equal(refusal(yamlSerializer, uses(YAML_ALIASES_MAX - 1)), 'accepted');
  t.match(refusal(yamlSerializer, uses(YAML_ALIASES_MAX + 1)), excessive);
  t.end();
});

t.test('YAML: what an alias stands for is a value of its own', (t) => {
  const { object } = decode(yamlSerializer, 'a: &a {x: [1]}\nb: *a\n');
  t.strictSame(object['a'], object['b']);
  t.not(object['a'], object['b']);
  t.end();
});

/** What YAML has a meaning for, or nearly. */
const yamlPieces = [
  "'",
  '"',
  '|\n',
  '|-\n',
  '|+\n',
  '>\n',
  ': ',
  ':',
  '- ',
  '-',
  '#',
  ' #',
  '[a, b]',
  '{}',
  '{a: b}',
  '&a ',
  '*a',
  '!',
  '!!str ',
  '@',
  '%',
  '---',
  '...',
  '? ',
  '<<: ',
  '\\n',
  '"a": ',
  "'a': ",
  '"\\u0041"',
  '__proto__: ',
  ',',
  'yes',
  'On',
  'n',
  'null',
  '~',
  '',
  '0',
  '1',
  '-1',
  '07',
  '0o7',
  '0b1',
  '0x1f',
  '1.5',
  '.5',
  '5.',
  '1e3',
  '1_0',
  '.nan',
  '-.inf',
  '12:30',
  '2026-01-02',
  '10.0.0.1',
  '64Mi',
  '+',
  '=',
  '.',
  '-a',
  '/',
  '$x',
  '(',
  'é',
  '😀',
  'a',
  'b c',
  'key: ',
  'k:\n',
  '\n',
  '\n\n',
  '\n  ',
  '\n    ',
  '  ',
  ' ',
  '\t',
  '\r\n',
  '\ufeff',
];

t.test('YAML: ordinary documents, which are read without the library, are read as the library does', (t) => {
  let read = 0;
  const property = (text: string) => {
    const value = readOrdinaryYaml(text);
    if (value === UNSURE) return;
    read += 1;
    assert.deepStrictEqual({ value, duplicates: [] }, parseByLibrary(text), JSON.stringify(text));
  };
  const start = fc.constantFrom('', 'k: ', 'k: ', '- ', 'a:\n  b: ');
  const texts = fc.tuple(start, fc.array(fc.constantFrom(...yamlPieces), { maxLength: 10 }));
  fc.assert(
    fc.property(texts, ([first, pieces]) => property(first + pieces.join(''))),
    { numRuns: 4000 },
  );
  t.ok(read > 400, `${read} of them were ordinary`);
  const folder = join(repository, 'test/fixtures/manifests');
  const manifests = readdirSync(folder)
    .filter((name) => name.endsWith('-good.yaml'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split(/^---$/m));
  read = 0;
  for (const manifest of manifests) property(manifest);
  t.ok(read > manifests.length * 0.5, `of ${manifests.length} manifests, ${read}`);
  t.end();
});

t.test(
  'YAML: long bodies that only the library reads are read by a thread of their own, the same',
  async (t) => {
    const member = (text: string) =>
      `data:\n  long: ${'x'.repeat(YAML_AHEAD_BYTES_MIN)}\n  __proto__: {x: 1}\n${text}`;
    const texts = ['a: {b: [1, yes]}', 'a: 1\na: 2', 'a: [1', '<<: 1', 'a: .inf', 'ordinary: 1'].map(member);
    const bodies = texts.map((text) => Buffer.from(text));
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 1);
    await Promise.all(bodies.map((body) => readYamlAhead(body)));
    clearInterval(turning);
    t.ok(turns > 0, 'other work had its turns');
    for (const [index, body] of bodies.entries()) {
      const direct = parseYaml(texts[index] ?? '');
      t.strictSame(readYaml(body), direct, String(texts[index]).slice(-20));
      if (direct.value !== undefined)
        t.not(readYaml(body).value, readYaml(body).value, 'each caller has its own');
    }
  },
);

t.test('YAML: JSON is read as JSON, but for keys that stand twice', (t) => {
  const text = '{"a": {"b": [1, "\\ud83d\\ude00"]}}';
  t.same(parseYaml(text), { value: JSON.parse(text) as unknown, duplicates: [] });
  t.same(parseYaml('{"a": 1,\n"a": 2}').duplicates, [{ line: 2, key: 'a' }]);
  t.match(parseYaml('{"a": [}').problem, /^yaml: line 1: /);
  t.end();
});

t.test("YAML: answers look like Go's", (t) => {
  const object = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: {
      name: 'bin',
      creationTimestamp: '2026-11-22T07:26:39Z',
      resourceVersion: '218',
      labels: {},
      finalizers: [],
      managedFields: [{ manager: 'transcript', fieldsV1: { 'f:data': { '.': {}, 'f:b': {} } } }],
    },
    data: { t: 'x', p10: 'a: b', p2: "it's", y: 'no', lines: 'a\nb\n', empty: '', tab: 'a\tb', float: '1e3' },
    count: 5,
    ready: true,
    none: null,
  };
  const text = yamlSerializer.encode?.(Buffer.from(JSON.stringify(object))).toString();
  t.equal(
    text,
    `apiVersion: v1
count: 5
data:
  empty: ""
  float: "1e3"
  lines: |
    a
    b
  p2: it's
  p10: 'a: b'
  t: x
  tab: "a\\tb"
  "y": "no"
kind: ConfigMap
metadata:
  creationTimestamp: "2026-11-22T07:26:39Z"
  finalizers: []
  labels: {}
  managedFields:
  - fieldsV1:
      f:data:
        .: {}
        f:b: {}
    manager: transcript
  name: bin
  resourceVersion: "218"
none: null
ready: true
`,
  );
  t.end();
});

t.test('YAML: what is written is read back equal', (t) => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '.',
      'e0',
      'yes',
      'NO',
      '0777',
      '1_000',
      '1:30',
      '.5',
      '.inf',
      '2020-01-01',
      '~',
      'a\nb',
      '\n',
      ' x',
      '<<',
      '=',
      '0x',
      '---',
      '...a',
      ':-',
      'é: 1',
      'k'.repeat(129),
      '"'.repeat(200),
      'a\n\n b\n\n',
    ),
  );
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(text, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).value;
  fc.assert(
    fc.property(value, (value) => {
      const json = JSON.stringify({ value, kind: 'ConfigMap', apiVersion: 'v1' });
      const yaml = yamlSerializer.encode?.(Buffer.from(json)) ?? Buffer.alloc(0);
      assert.deepStrictEqual(decode(yamlSerializer, yaml).object, JSON.parse(json));
    }),
    { numRuns: 400 },
  );
  // Go's emitter: a key of more than 128 bytes is no simple one, and nothing that looks like the end of a document is plain.
  const keys = { [`${'é'.repeat(64)}a`]: { '---': ['---'] }, ['é'.repeat(64)]: 0 };
  t.equal(
    yamlSerializer.encode?.(Buffer.from(JSON.stringify(keys))).toString(),
    `${'é'.repeat(64)}: 0\n? ${'é'.repeat(64)}a\n: '---':\n  - '---'\n`,
  );
  t.end();
});

t.test('protobuf: a hand-made Event, Lease and Pod', (t) => {
  const event = envelope('v1', 'Event', [
    ...bytes(1, [...bytes(1, 'e1'), ...bytes(8, [...int(1, 1_700_000_000), ...int(2, 5)]), ...bytes(9, [])]),
    ...bytes(6, []),
    ...bytes(7, int(1, 1_700_000_001)),
    ...int(8, 300),
    ...bytes(10, [...int(1, 1_700_000_002), ...int(2, 123_456_789)]),
  ]);
  t.same(decode(protobufSerializer, event, { kind: 'Event' }).object, {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name: 'e1', creationTimestamp: '2023-11-14T22:13:20Z' },
    lastTimestamp: '2023-11-14T22:13:21Z',
    count: 300,
    eventTime: '2023-11-14T22:13:22.123456Z',
  });
  const lease = envelope('coordination.k8s.io/v1', 'Lease', [
    ...bytes(1, bytes(11, [...bytes(1, '__proto__'), ...bytes(2, 'x')])),
    ...bytes(2, [...bytes(1, ''), ...int(2, 0)]),
  ]);
  const decoded = decode(protobufSerializer, lease, { group: 'coordination.k8s.io', kind: 'Lease' }).object;
  t.equal(
    JSON.stringify(decoded),
    '{"metadata":{"labels":{"__proto__":"x"}},"spec":{"holderIdentity":"","leaseDurationSeconds":0},"apiVersion":"coordination.k8s.io/v1","kind":"Lease"}',
    'what is on the wire is in the object, zero or not',
  );
  const negative = [255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
  const secretVolume = bytes(2, bytes(6, [...bytes(1, 's'), ...int(3, 420)]));
  const pod = envelope('v1', 'Pod', [
    ...bytes(2, [
      ...bytes(1, [...bytes(1, 'v'), ...secretVolume]),
      ...bytes(2, [
        ...bytes(1, 'c'),
        ...bytes(3, 'sh'),
        ...bytes(3, '-c'),
        ...bytes(8, bytes(1, [...bytes(1, 'cpu'), ...bytes(2, bytes(1, '100m'))])),
        ...bytes(
          10,
          bytes(
            1,
            bytes(2, [...bytes(1, '/'), ...bytes(2, [...int(1, 1), ...int(2, 0), ...bytes(3, 'http')])]),
          ),
        ),
      ]),
      5 * 8,
      ...negative,
    ]),
  ]);
  t.same(decode(protobufSerializer, pod, { kind: 'Pod' }).object, {
    kind: 'Pod',
    apiVersion: 'v1',
    spec: {
      volumes: [{ name: 'v', secret: { secretName: 's', defaultMode: 420 } }],
      containers: [
        {
          name: 'c',
          command: ['sh', '-c'],
          resources: { limits: { cpu: '100m' } },
          livenessProbe: { httpGet: { path: '/', port: 'http' } },
        },
      ],
      activeDeadlineSeconds: -1,
    },
  });
  t.end();
});

t.test('protobuf: integers of 64 bits', (t) => {
  const rows: [bytes: number[], value: number][] = [
    [[0], 0],
    [varint(2 ** 31), 2 ** 31],
    [varint(2 ** 53 - 1), 2 ** 53 - 1],
    [[255, 255, 255, 255, 255, 255, 255, 255, 255, 1], -1],
    [[128, 128, 128, 128, 128, 128, 128, 128, 128, 1], -(2 ** 63)],
  ];
  for (const [bytes, value] of rows) t.equal(new WireReader(Buffer.from(bytes)).integer(), value);
  t.end();
});

t.test('protobuf: what real kubectl sends decodes to what it sends as JSON', (t) => {
  const { requests } = JSON.parse(
    readFileSync(join(repository, 'test/fixtures/protobuf/kubectl.json'), 'utf8'),
  ) as {
    requests: Record<string, string>;
  };
  /** The object as Go would print it. */
  const objectOf = (name: string, definition: ResourceDefinition): unknown => {
    const { object } = decode(protobufSerializer, Buffer.from(requests[name] ?? '', 'base64'), definition);
    const decoded = decodeObject(definition, object);
    t.same(
      'unknownFields' in decoded ? decoded.unknownFields : decoded.typeError,
      [],
      `${name} fits its schema`,
    );
    return 'object' in decoded ? decoded.object : undefined;
  };
  const definition = (plural: string): ResourceDefinition => {
    const found = builtinResources.find((resource) => resource.plural === plural);
    if (found === undefined) throw new Error(`no ${plural}`);
    return found;
  };
  const type = (plural: string) => {
    const { kind, group, version } = definition(plural);
    return { kind, apiVersion: group === '' ? version : `${group}/${version}` };
  };
  const expected: Record<string, object> = {
    namespaces: { metadata: { name: 'fixture' } },
    configmaps: { metadata: { name: 'settings' }, data: { a: '1', b: 'two' } },
    secrets: { metadata: { name: 'tok' }, data: { user: 'bWU=' } },
    serviceaccounts: { metadata: { name: 'robot' } },
    services: {
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        ports: [{ name: '80-8080', protocol: 'TCP', port: 80, targetPort: 8080 }],
        selector: { app: 'web' },
        type: 'ClusterIP',
      },
      status: { loadBalancer: {} },
    },
    deployments: {
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'nginx', image: 'nginx:1.27', ports: [{ containerPort: 80 }] }] },
        },
      },
    },
    selfsubjectaccessreviews: {
      spec: { resourceAttributes: { namespace: 'default', verb: 'create', resource: 'pods' } },
    },
    selfsubjectreviews: {},
  };
  for (const [name, fields] of Object.entries(expected)) {
    const asJson = decodeObject(definition(name), structuredClone({ ...type(name), ...fields }));
    const printed = 'object' in asJson ? asJson.object : undefined;
    t.same(withoutEmpty(objectOf(name, definition(name))), withoutEmpty(printed), name);
  }
  const token = decode(protobufSerializer, Buffer.from(requests['token'] ?? '', 'base64'), {
    group: 'authentication.k8s.io',
    kind: 'TokenRequest',
  });
  t.match(token.object, { kind: 'TokenRequest', spec: { expirationSeconds: 600 } });
  t.end();
});

/** Structs that Go prints empty say nothing, and are there or not by the client's format. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => [key, withoutEmpty(member)] as const);
  return Object.fromEntries(
    members.filter(
      ([, member]) => !(typeof member === 'object' && member !== null && Object.keys(member).length === 0),
    ),
  );
}

t.test('protobuf: bodies that are none are refused', (t) => {
  const unrecognized = 'the object provided is unrecognized (must be of type ConfigMap): ';
  t.equal(refusal(protobufSerializer, ''), `${unrecognized}empty data (<empty>)`);
  t.match(
    refusal(protobufSerializer, 'nope'),
    'does not appear to be a protobuf message, expected prefix [107 56 115 0]',
  );
  t.equal(refusal(protobufSerializer, 'k8s\0'), `${unrecognized}empty body (6b387300)`);
  t.equal(
    refusal(protobufSerializer, Buffer.from([...Buffer.from('k8s\0'), 10, 200])),
    `${unrecognized}unexpected EOF (6b3873000ac8)`,
  );
  const handled = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: ';
  t.equal(refusal(protobufSerializer, envelope('v1', 'ConfigMap', [10, 200, 1])), `${handled}unexpected EOF`);
  t.equal(
    refusal(protobufSerializer, envelope('v1', 'ConfigMap', int(1, 5))),
    `${handled}proto: wrong wireType = 0 for field Metadata`,
  );
  t.equal(
    refusal(protobufSerializer, envelope('v1', 'ConfigMap', [((99 * 8) % 128) | 128 | 7, 6])),
    `${handled}proto: illegal wireType 7`,
  );
  t.match(refusal(protobufSerializer, envelope('v1', 'Pod', [])), 'converting (v1.Pod) to (core.ConfigMap)');
  t.match(refusal(protobufSerializer, envelope('v1', 'Widget', []), { kind: 'Widget' }), 'no protobuf form');
  t.equal(refusal(protobufSerializer, envelope('', '', [])), 'accepted', 'type meta may be empty');
  t.end();
});

t.test('protobuf: any bytes are decoded or refused, never anything else', (t) => {
  const raw = fc.array(fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(10, 18, 26, 2, 1, 0)), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(raw, (raw) => {
      for (const kind of ['Pod', 'Node']) refusal(protobufSerializer, envelope('v1', kind, raw), { kind });
    }),
    { numRuns: 500 },
  );
  t.end();
});

t.test('protobuf: every kind that can be written has its message', (t) => {
  for (const { group, version, kind, subresources } of builtinResources) {
    const kinds = [
      { group, version, kind },
      ...subresources.flatMap(({ schema, kind }) =>
        schema === undefined || kind === undefined ? [] : [kind],
      ),
    ];
    for (const name of kinds) t.type(messageOf(name), 'string', name.kind);
  }
  t.end();
});

t.test('protobuf: a full Pod, as another encoder writes it', { skip }, (t) => {
  const type = recordedMessages().lookupType('k8s.io.api.core.v1.Pod');
  const quantity = (string: string) => ({ string });
  const raw = type.encode(
    type.fromObject({
      metadata: {
        name: 'full',
        labels: { a: 'b', c: '' },
        creationTimestamp: { seconds: 1_700_000_000 },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u', controller: true }],
        finalizers: ['x/y', 'z/w'],
        managedFields: [
          { manager: 'm', time: { seconds: 1 }, fieldsV1: { Raw: Buffer.from('{"f:spec":{}}') } },
        ],
      },
      spec: {
        volumes: [
          {
            name: 'c',
            volumeSource: {
              configMap: { localObjectReference: { name: 'cm' }, items: [{ key: 'k', path: 'p' }] },
            },
          },
          { name: 'e', volumeSource: { emptyDir: { sizeLimit: quantity('1Gi') } } },
        ],
        containers: [
          {
            name: 'main',
            env: [
              { name: 'A', value: '1' },
              {
                name: 'B',
                valueFrom: {
                  secretKeyRef: { localObjectReference: { name: 's' }, key: 'k', optional: false },
                },
              },
            ],
            resources: { requests: { cpu: quantity('100m'), memory: quantity('1Gi') } },
            readinessProbe: { handler: { tcpSocket: { port: { type: 0, intVal: 80 } } }, periodSeconds: 5 },
            securityContext: { runAsUser: 1000, runAsNonRoot: true },
          },
        ],
        ephemeralContainers: [
          { ephemeralContainerCommon: { name: 'dbg', image: 'x' }, targetContainerName: 'main' },
        ],
        overhead: { cpu: quantity('1') },
        activeDeadlineSeconds: 5_000_000_000,
        tolerations: [{ key: 'k', tolerationSeconds: 0 }],
      },
      status: {
        startTime: { seconds: 1_700_000_000, nanos: 999 },
        containerStatuses: [{ name: 'main', ready: true, restartCount: 2 }],
      },
    }),
  );
  const { object } = decode(protobufSerializer, envelope('v1', 'Pod', [...raw.finish()]), { kind: 'Pod' });
  t.strictSame(object, {
    metadata: {
      name: 'full',
      creationTimestamp: '2023-11-14T22:13:20Z',
      labels: { a: 'b', c: '' },
      ownerReferences: [{ kind: 'Node', name: 'n', uid: 'u', apiVersion: 'v1', controller: true }],
      finalizers: ['x/y', 'z/w'],
      managedFields: [{ manager: 'm', time: '1970-01-01T00:00:01Z', fieldsV1: { 'f:spec': {} } }],
    },
    spec: {
      volumes: [
        { name: 'c', configMap: { name: 'cm', items: [{ key: 'k', path: 'p' }] } },
        { name: 'e', emptyDir: { sizeLimit: '1Gi' } },
      ],
      containers: [
        {
          name: 'main',
          env: [
            { name: 'A', value: '1' },
            { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: false } } },
          ],
          resources: { requests: { cpu: '100m', memory: '1Gi' } },
          readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 5 },
          securityContext: { runAsUser: 1000, runAsNonRoot: true },
        },
      ],
      ephemeralContainers: [{ name: 'dbg', image: 'x', targetContainerName: 'main' }],
      overhead: { cpu: '1' },
      activeDeadlineSeconds: 5_000_000_000,
      tolerations: [{ key: 'k', tolerationSeconds: 0 }],
    },
    status: {
      startTime: '2023-11-14T22:13:20Z',
      containerStatuses: [{ name: 'main', ready: true, restartCount: 2 }],
    },
    apiVersion: 'v1',
    kind: 'Pod',
  });
  t.end();
});

t.test('JSON: half of a surrogate pair is U+FFFD (encoding/json)', async (t) => {
  const read = (text: string) => parseJson(text, true);
  for (const [text, value] of [
    [String.raw`"\ud800"`, '\ufffd'],
    [String.raw`"a\uDFFFb\ud83d"`, 'a\ufffdb\ufffd'],
    [String.raw`"\ud83d\ude00"`, '\ud83d\ude00'],
    [String.raw`"\ud83d\ud83d\ude00"`, '\ufffd\ud83d\ude00'],
    [String.raw`"\ude00\ud83d"`, '\ufffd\ufffd'],
    [String.raw`"\\ud800\"\\\ud800"`, '\\ud800"\\\ufffd'],
    [String.raw`"\u0041\ud800"`, 'A\ufffd'],
  ] as const) {
    t.strictSame(read(text), { value, duplicates: [] }, text);
  }
  t.strictSame(read(String.raw`{"\udc00": 1}`), { value: { '\ufffd': 1 }, duplicates: [] }, 'of a key too');
  t.match(read(String.raw`{"\udc00": 1, "\ud800": 2}`), { duplicates: ['\ufffd'] }, 'two of them are one');
  t.match(read(String.raw`{"a": "\ud800" x}`), {
    problem: /^invalid character 'x' after object key:value pair/,
  });
});
