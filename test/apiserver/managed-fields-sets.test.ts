/** Sets of fields: their arithmetic against sets of paths, the order in which they are written, and reading them. */
import * as fc from 'fast-check';
import t from 'tap';
import { readEntries, writeEntries } from '../../apiserver/managed-fields/entries.js';
import {
  difference,
  has,
  intersection,
  LEAF,
  NONE,
  paths,
  recursiveDifference,
  sameSet,
  single,
  union,
} from '../../apiserver/managed-fields/field-set.js';
import { compareKeys, compareText, printPath } from '../../apiserver/managed-fields/path-elements.js';
import { reconcile } from '../../apiserver/managed-fields/reconcile.js';
import { shapeOf } from '../../apiserver/managed-fields/shape.js';
import type { FieldsV1 } from '../../apiserver/managed-fields/types.js';
import { things } from './managed-fields-fixture.js';

type Path = readonly string[];

const fieldKeys = ['f:a', 'f:b', 'f:~', 'f:__proto__', 'f:'];
const itemKeys = ['k:{"port":9}', 'k:{"port":10}', 'k:{"port":10,"protocol":"TCP"}', 'k:{"name":"a"}'];
const valueKeys = ['v:1', 'v:"a"', 'v:"é"', 'v:true', 'v:null', 'i:2', 'i:10'];
const key = fc.constantFrom(...fieldKeys, ...itemKeys, ...valueKeys);
const path = fc.array(key, { minLength: 1, maxLength: 4 });
const pathSet = fc.array(path, { maxLength: 12 });

const setOf = (members: readonly Path[]): FieldsV1 => members.map(single).reduce(union, NONE);
const text = (member: Path): string => member.join('|');
const model = (members: readonly Path[]): Set<string> => new Set(members.map(text));
const membersOf = (set: FieldsV1): string[] => paths(set).map(text);

t.test('a set has the members that were put in, whatever stands above or below them', async (t) => {
  fc.assert(
    fc.property(pathSet, path, (members, other) => {
      const set = setOf(members);
      t.same(membersOf(set).sort(), [...model(members)].sort());
      t.equal(has(set, other), model(members).has(text(other)));
    }),
  );
  t.notOk(has({ 'f:a': LEAF }, []), 'the object itself is in no set');
});

t.test('union, difference and intersection are those of sets of paths', async (t) => {
  fc.assert(
    fc.property(pathSet, pathSet, (a, b) => {
      const [mine, theirs] = [model(a), model(b)];
      const [x, y] = [setOf(a), setOf(b)];
      t.same(membersOf(union(x, y)).sort(), [...new Set([...mine, ...theirs])].sort());
      t.same(membersOf(difference(x, y)).sort(), [...mine].filter((one) => !theirs.has(one)).sort());
      t.same(membersOf(intersection(x, y)).sort(), [...mine].filter((one) => theirs.has(one)).sort());
      const above = (one: string) =>
        [...theirs].some((other) => one === other || one.startsWith(`${other}|`));
      t.same(membersOf(recursiveDifference(x, y)).sort(), [...mine].filter((one) => !above(one)).sort());
    }),
  );
});

t.test(
  'operations give sets in the one order there is, and their argument itself where nothing changes',
  async (t) => {
    fc.assert(
      fc.property(pathSet, pathSet, (a, b) => {
        const [x, y] = [setOf(a), setOf(b)];
        const both = union(x, y);
        t.equal(JSON.stringify(both), JSON.stringify(union(y, x)));
        t.equal(JSON.stringify(both), JSON.stringify(setOf([...b, ...a].toReversed())));
        t.equal(union(both, x), both);
        t.equal(difference(x, NONE), x);
        t.equal(difference(both, setOf([['f:elsewhere', 'f:a']])), both);
        t.ok(sameSet(union(difference(both, y), intersection(both, y)), both));
        t.equal(sameSet(x, y), JSON.stringify(x) === JSON.stringify(y));
      }),
    );
  },
);

t.test("keys are in Go's order: fields, items, values, indexes; by bytes, and by typed value", async (t) => {
  const ordered = [
    '.',
    'f:',
    'f:B',
    'f:a',
    'f:a.b',
    'f:\u{ffff}',
    'f:\u{10000}',
    'k:{"name":"a"}',
    'k:{"port":9,"protocol":"UDP"}',
    'k:{"port":80,"protocol":"TCP"}',
    'k:{"port":80,"protocol":"UDP"}',
    'k:{"port":443,"protocol":"TCP"}',
    'v:9',
    'v:10',
    'v:"10"',
    'v:"9"',
    'v:false',
    'v:true',
    'v:[1]',
    'v:{"a":1}',
    'v:null',
    'i:2',
    'i:10',
  ];
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries()) {
      t.equal(Math.sign(compareKeys(a, b)), Math.sign(i - j), `${a} and ${b}`);
    }
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      t.equal(Math.sign(compareText(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

t.test('paths are printed as in conflicts', async (t) => {
  t.equal(
    printPath(['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:name']),
    '.spec.ports[port=80,protocol="TCP"].name',
  );
  t.equal(
    printPath(['f:metadata', 'f:finalizers', 'v:"example.com/x"']),
    '.metadata.finalizers[="example.com/x"]',
  );
  t.equal(printPath(['f:a', 'i:3', 'v:true', 'v:1500000']), '.a[3][=true][=1.5e+06]', 'numbers as %v');
});

const entry = (fieldsV1: unknown) => ({
  manager: 'm',
  operation: 'Update',
  apiVersion: 'v1',
  time: '2026-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1,
});
const read = (fieldsV1: unknown): FieldsV1 | undefined => readEntries([entry(fieldsV1)])[0]?.set;

t.test('a set that is written in canonical form is read as it is', async (t) => {
  fc.assert(
    fc.property(pathSet, (members) => {
      const set = JSON.parse(JSON.stringify(setOf(members))) as FieldsV1;
      t.equal(read(set), set);
      const entries = [entry(set)];
      t.equal(writeEntries(readEntries(entries))[0], entries[0], 'so is its entry');
    }),
  );
});

t.test('other forms are brought to it', async (t) => {
  const same = (given: unknown, expected: unknown, why: string) =>
    t.equal(JSON.stringify(read(given)), JSON.stringify(expected), why);
  same({ 'f:b': {}, 'f:a': {} }, { 'f:a': {}, 'f:b': {} }, 'order');
  same(
    { 'f:a': { 'f:b': {}, '.': {} } },
    { 'f:a': { '.': {}, 'f:b': {} } },
    'the member itself stands first',
  );
  same({ 'f:a': { '.': { 'f:x': {} } } }, { 'f:a': {} }, 'a member alone, whatever its point holds');
  same({ 'f:a': null }, { 'f:a': {} }, 'null has nothing below it');
  same({ 'k:{ "b": 1, "a": "x" }': {} }, { 'k:{"a":"x","b":1}': {} }, 'keys of items');
  same(
    { 'v:"\\u0061"': {}, 'v:"a"': { 'f:b': {} } },
    { 'v:"a"': { '.': {}, 'f:b': {} } },
    'one key in two forms',
  );
  same({ 'v:"<&>"': {} }, { 'v:"\\u003c\\u0026\\u003e"': {} }, 'as Go escapes');
  same({ 'x:new': {}, 'f:a': {} }, { 'f:a': {} }, 'keys of a later version are left out');
  same({ 'f:a': { 'x:new': {} } }, { 'f:a': {} }, 'also where nothing else is');
  same({ '.': {}, 'f:a': {} }, { 'f:a': {} }, "the object itself is nobody's");
  same(undefined, {}, 'no fields');
});

t.test('what cannot be read is refused', async (t) => {
  const refused = (given: object, message: string) =>
    t.throws(() => readEntries([{ ...entry({}), ...given }]), { message }, message);
  refused({ operation: 'Write' }, 'operation must be `Apply` or `Update`');
  refused({ apiVersion: '' }, 'apiVersion must not be empty');
  refused({ fieldsType: undefined }, 'missing fieldsType in managed fields entry 0');
  refused({ fieldsType: 'FieldsV2' }, 'invalid fieldsType "FieldsV2" in managed fields entry 0');
  const bad: unknown[] = [
    [],
    'x',
    { a: {} },
    { fa: {} },
    { 'f:a': 1 },
    { 'k:[1]': {} },
    { 'k:{': {} },
    { 'v:x': {} },
    { 'i:x': {} },
  ];
  for (const fieldsV1 of [
    ...bad,
    JSON.parse('{"__proto__":{}}'),
    JSON.parse('{"f:a":'.repeat(2000) + '{}' + '}'.repeat(2000)),
  ]) {
    t.throws(() => read(fieldsV1), { message: 'error decoding set' }, JSON.stringify(fieldsV1).slice(0, 40));
  }
});

t.test(
  'of two entries of one manager the later one counts; appliers are one whatever version they apply',
  async (t) => {
    const update = entry({ 'f:a': {} });
    const apply = { ...update, operation: 'Apply' };
    const managers = (entries: readonly object[]) =>
      readEntries(entries).map(
        ({ operation, apiVersion, subresource }) => `${operation} ${apiVersion} ${subresource}`,
      );
    t.same(managers([update, { ...update, fieldsV1: { 'f:b': {} } }]), ['Update v1 ']);
    t.same(managers([update, { ...update, apiVersion: 'v2' }]), ['Update v1 ', 'Update v2 ']);
    t.same(managers([apply, { ...apply, apiVersion: 'v2' }]), ['Apply v2 ']);
    t.same(managers([apply, update, { ...update, subresource: 'status' }]), [
      'Apply v1 ',
      'Update v1 ',
      'Update v1 status',
    ]);
  },
);

t.test('entries stand appliers first, then by time, manager, apiVersion and subresource', async (t) => {
  const ordered = [
    { ...entry({}), operation: 'Apply', manager: 'z', time: '2026-01-02T00:00:00Z' },
    { ...entry({}), manager: 'z', time: undefined },
    { ...entry({}), manager: 'a' },
    { ...entry({}), manager: 'b' },
    { ...entry({}), manager: 'b', subresource: 'status' },
    { ...entry({}), manager: 'b', apiVersion: 'v2' },
    { ...entry({}), manager: 'Z', time: '2026-01-02T00:00:00Z' },
  ];
  t.same(writeEntries(readEntries(ordered.toReversed())), ordered);
});

t.test('a set is brought to the schema: what is replaced as a whole is owned as a whole', async (t) => {
  const shape = shapeOf(things.schema());
  const atomic = {
    'f:spec': {
      'f:atomicList': { 'i:0': {} },
      'f:atomicMap': { 'f:a': {} },
      'f:atomicStruct': { '.': {}, 'f:x': {} },
    },
  };
  t.same(reconcile(shape, atomic), {
    'f:spec': { 'f:atomicList': {}, 'f:atomicMap': {}, 'f:atomicStruct': {} },
  });
  const granular = {
    'f:gone': { 'f:a': {} },
    'f:spec': {
      'f:any': { 'f:x': { 'f:y': {} } },
      'f:items': {},
      'f:map': {},
      'f:set': { 'v:"a"': {} },
      'f:unknown': {},
    },
  };
  t.equal(reconcile(shape, granular), granular, 'the rest stays, unknown fields too');
});
