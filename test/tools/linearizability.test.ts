/** The checker of histories: known good and bad ones, and a comparison with trying every order. */
import * as fc from 'fast-check';
import t from 'tap';
import { random } from '../raft/random.js';
import { reportViolation } from './linearizability-report.js';
import {
  explain,
  findViolation,
  type CompareAndSetResult,
  type Operation,
  type Value,
} from './linearizability.js';

/** Calls as `client invokedAt-returnedAt`, `?` for an unknown outcome. */
function call(text: string) {
  const [client = '', times = ''] = text.split(' ');
  const [invokedAt, returnedAt] = times.split('-');
  return {
    client,
    key: 'k',
    invokedAt: Number(invokedAt),
    returnedAt: returnedAt === '?' ? undefined : Number(returnedAt),
  };
}

const read = (at: string, result: Value): Operation => ({ ...call(at), kind: 'read', result });
const write = (at: string, value: Value): Operation => ({ ...call(at), kind: 'write', value });
const compareAndSet = (
  at: string,
  expected: Value,
  value: Value,
  result?: CompareAndSetResult,
): Operation => ({
  ...call(at),
  kind: 'compare-and-set',
  expected,
  value,
  result,
});
const done = { succeeded: true } as const;
const found = (value: Value) => ({ succeeded: false, found: { value } }) as const;

const good: Readonly<Record<string, Operation[]>> = {
  'nothing happened': [],
  'a key starts absent': [read('a 1-2', undefined)],
  'one after the other': [write('a 1-2', 'x'), read('b 3-4', 'x')],
  'a read beside a write may see it or not': [
    write('a 1-9', 'x'),
    read('b 2-3', undefined),
    read('b 4-5', 'x'),
  ],
  'writes side by side take either order': [write('a 1-9', 'x'), write('b 1-9', 'y'), read('c 10-11', 'x')],
  'an unknown write takes effect long after': [
    write('a 1-?', 'x'),
    read('b 10-11', undefined),
    read('b 20-21', 'x'),
  ],
  'an unknown write never takes effect': [write('a 1-?', 'x'), read('b 10-11', undefined)],
  'an unknown write explains a compare-and-set that failed on something': [
    write('a 1-2', 'x'),
    write('b 3-?', 'y'),
    compareAndSet('c 4-5', 'x', 'z', { succeeded: false }),
  ],
  'a chain of unknown compare-and-sets': [
    compareAndSet('a 1-?', undefined, 'x'),
    compareAndSet('b 2-?', 'x', 'y'),
    read('c 9-10', 'y'),
  ],
  'a failed compare-and-set found what was there': [
    write('a 1-2', 'x'),
    compareAndSet('b 3-4', 'y', 'z', found('x')),
  ],
  'the same value twice': [
    write('a 1-2', 'x'),
    write('a 3-4', 'y'),
    write('b 5-?', 'x'),
    read('c 6-7', 'y'),
    read('c 8-9', 'x'),
  ],
  'a deletion of unknown outcome': [write('a 1-2', 'x'), write('b 3-?', undefined), read('c 4-5', undefined)],
  'touching times are side by side': [write('a 1-2', 'x'), read('b 2-3', undefined)],
};

const bad: Readonly<Record<string, Operation[]>> = {
  'a value from nowhere': [read('a 1-2', 'x')],
  'a stale read': [write('a 1-2', 'x'), read('b 3-4', undefined)],
  'a read goes back': [write('a 1-9', 'x'), read('b 2-3', 'x'), read('b 4-5', undefined)],
  'a lost update': [
    write('a 1-2', 'x'),
    compareAndSet('a 3-6', 'x', 'y', done),
    compareAndSet('b 3-6', 'x', 'z', done),
  ],
  'an unknown write takes effect before its call': [read('b 1-2', 'x'), write('a 3-?', 'x')],
  'an unknown write takes effect twice': [
    write('a 1-?', 'x'),
    read('b 2-3', 'x'),
    write('c 4-5', 'y'),
    read('b 6-7', 'x'),
  ],
  'two readers see two orders': [
    write('a 1-20', 'x'),
    write('b 1-20', 'y'),
    read('c 21-22', 'x'),
    read('d 23-24', 'y'),
  ],
  'a compare-and-set succeeds on what is not there': [
    write('a 1-2', 'x'),
    compareAndSet('b 3-4', 'y', 'z', done),
  ],
  'a compare-and-set fails on what is there': [
    write('a 1-2', 'x'),
    compareAndSet('b 3-4', 'x', 'y', { succeeded: false }),
  ],
};

for (const [name, history] of Object.entries(good)) {
  t.test(`linearizable: ${name}`, async (t) => t.equal(findViolation(history), undefined));
}
for (const [name, history] of Object.entries(bad)) {
  t.test(`not linearizable: ${name}`, async (t) => t.ok(findViolation(history)));
}

t.test('keys are checked apart from one another', async (t) => {
  const other = bad['a stale read']?.map((operation) => ({ ...operation, key: 'other' })) ?? [];
  const violation = findViolation([...(good['one after the other'] ?? []), ...other]);
  t.equal(violation?.key, 'other');
});

t.test('the report gives the shortest beginning that cannot be explained', async (t) => {
  const history = [
    write('a 1-2', 'x'),
    read('b 3-4', 'x'),
    write('a 5-6', 'y'),
    read('b 7-8', 'x'),
    read('b 9-10', 'y'),
    write('c 11-12', 'z'),
  ];
  const violation = findViolation(history);
  t.ok(violation);
  if (violation === undefined) return;
  t.same(violation.prefix, history.slice(0, 4));
  t.matchOnly(reportViolation(violation).split('\n'), [
    'the history of key "k" is not linearizable: 4 operations until then',
    '  place in the longest order found, call to return, client, operation',
    /^ {5}1 {2}1 – 2 +client a: write "x"$/,
    /^ {5}2 {2}3 – 4 +client b: read "x"$/,
    /client a: write "y"$/,
    /client b: read "x"$/,
  ]);
});

t.test('the order given explains the history', async (t) => {
  const { linearizable, order } = explain(good['a chain of unknown compare-and-sets'] ?? []);
  t.ok(linearizable);
  t.same(
    order.map(({ client }) => client),
    ['a', 'b', 'c'],
  );
});

t.test('as a search through every order says, on small histories', async (t) => {
  const values = fc.constantFrom<Value>(undefined, 'x', 'y', 'z');
  const times = fc
    .tuple(
      fc.integer({ min: 0, max: 12 }),
      fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined, freq: 3 }),
    )
    .map(([invokedAt, duration]) => ({
      invokedAt,
      returnedAt: duration === undefined ? undefined : invokedAt + duration,
    }));
  const outcome = fc.oneof(
    fc.constant<CompareAndSetResult>({ succeeded: true }),
    fc.constant<CompareAndSetResult>({ succeeded: false }),
    values.map((value): CompareAndSetResult => ({ succeeded: false, found: { value } })),
  );
  const operation = fc
    .tuple(fc.constantFrom('read', 'write', 'compare-and-set'), times, values, values, outcome)
    .map(([kind, { invokedAt, returnedAt }, first, second, result]): Operation => {
      const common = { client: 'c', key: 'k', invokedAt, returnedAt };
      if (kind === 'read') return { ...common, returnedAt: returnedAt ?? 20, kind, result: first };
      if (kind === 'write') return { ...common, kind, value: first };
      const told = returnedAt === undefined ? undefined : result;
      return { ...common, kind: 'compare-and-set', expected: first, value: second, result: told };
    });
  const { seed } = random();
  t.comment(`seed ${seed}`);
  let linearizable = 0;
  let runs = 0;
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 6 }), (history) => {
      const expected = anyOrderExplains(history, undefined);
      runs += 1;
      if (expected) linearizable += 1;
      return (findViolation(history) === undefined) === expected;
    }),
    { seed, numRuns: 20_000 },
  );
  t.ok(
    linearizable > runs / 10 && linearizable < (runs * 9) / 10,
    `${linearizable} of ${runs} are linearizable`,
  );
});

/** The definition itself: some order of all that ended and any of the others respects time and explains all. */
function anyOrderExplains(left: readonly Operation[], state: Value): boolean {
  if (left.every(({ returnedAt }) => returnedAt === undefined)) return true;
  return left.some((next) => {
    const others = left.filter((other) => other !== next);
    if (others.some(({ returnedAt }) => returnedAt !== undefined && returnedAt < next.invokedAt))
      return false;
    if (next.kind === 'read') return next.result === state && anyOrderExplains(others, state);
    if (next.kind === 'write') return anyOrderExplains(others, next.value);
    if (state === next.expected)
      return next.result?.succeeded !== false && anyOrderExplains(others, next.value);
    if (next.result?.succeeded === true) return false;
    const foundOther = next.result?.found !== undefined && next.result.found.value !== state;
    return !foundOther && anyOrderExplains(others, state);
  });
}

t.test(
  'thousands of operations of many clients on one key are checked fast, with a third unknown',
  async (t) => {
    const { seed, between } = random();
    t.comment(`seed ${seed}`);
    const history: Operation[] = [];
    let state: Value;
    /** Each client's next call; every operation takes effect in the middle of its time. */
    for (let middle = 100, id = 0; id < 5_000; id += 1, middle += between(1, 5)) {
      const times = `${id % 20} ${middle - between(0, 50)}-${middle + between(0, 50)}`;
      const unknown = between(1, 3) === 1;
      const applied = !unknown || between(0, 1) === 1;
      const at = unknown ? times.replace(/-.*/, '-?') : times;
      if (between(1, 3) === 1) {
        history.push(read(times, state));
      } else if (between(0, 1) === 1) {
        history.push(write(at, `v${id}`));
        if (applied) state = `v${id}`;
      } else {
        history.push(compareAndSet(at, state, `v${id}`, unknown ? undefined : done));
        if (applied) state = `v${id}`;
      }
    }
    const before = performance.now();
    t.equal(findViolation(history), undefined);
    t.comment(`${Math.round(performance.now() - before)} ms`);

    // Of a write that surely ended: one of which nobody knows may yet take effect, and make the read right.
    const old = history.find(
      (one): one is Operation & { kind: 'write' } => one.kind === 'write' && one.returnedAt !== undefined,
    );
    const stale = history.findIndex(({ kind }, i) => i > 4_000 && kind === 'read');
    history[stale] = { ...(history[stale] as Operation & { kind: 'read' }), result: old?.value };
    t.ok(findViolation(history), 'and one wrong read in them is found');
    t.comment(`${Math.round(performance.now() - before)} ms`);
  },
);
