/** raft/core/configuration.ts: every change and refusal, joint configurations, and the bytes of both. */
import {
  array,
  assert,
  bigInt,
  constantFrom,
  oneof,
  property,
  record,
  string,
  uint8Array,
  uniqueArray,
} from 'fast-check';
import { deepStrictEqual } from 'node:assert';
import t from 'tap';
import {
  applyChanges,
  decodeChanges,
  decodeConfiguration,
  encodeChanges,
  encodeConfiguration,
  initialConfiguration,
  isJoint,
  isVoter,
  leaveJoint,
  memberOf as find,
  NO_CONFIGURATION,
  type Configuration,
  type ConfigurationChange,
} from '../../raft/core/configuration.js';
import { configurationOf, memberOf } from './core-cluster.js';

const THREE = [1n, 2n, 3n];
const MAX_ID = 2n ** 64n - 1n;

/** What comes of changes that are allowed. */
function changed(configuration: Configuration, ...changes: readonly ConfigurationChange[]): Configuration {
  const result = applyChanges(configuration, changes);
  if (typeof result === 'string') throw new Error(`refused: ${result}`);
  return result;
}

const add = (id: bigint, learner = false) => ({ type: 'add' as const, member: memberOf(id), learner });
const idsOf = ({ members }: Configuration) => members.map(({ id }) => id);

t.test('a new cluster: all vote, in the order of ids', async (t) => {
  const configuration = initialConfiguration([3n, 1n, 2n].map(memberOf));
  t.same(configuration.voters, THREE);
  t.same(idsOf(configuration), THREE);
  t.notOk(isJoint(configuration));
  t.ok(THREE.every((id) => isVoter(configuration, id)));
  t.equal(find(configuration, 2n)?.name, 'm2');
  t.equal(find(configuration, 4n), undefined);
  t.notOk(isVoter(NO_CONFIGURATION, 1n));
});

t.test('add: a voter or a learner, in the order of ids', async (t) => {
  const configuration = configurationOf([2n, 5n]);
  t.match(changed(configuration, add(3n)), { voters: [2n, 3n, 5n], learners: [], outgoing: [] });
  const withLearner = changed(configuration, add(1n, true));
  t.match(withLearner, { voters: [2n, 5n], learners: [1n] });
  t.same(idsOf(withLearner), [1n, 2n, 5n]);
  t.notOk(isVoter(withLearner, 1n));
  t.match(changed(withLearner, add(MAX_ID, true)), { learners: [1n, MAX_ID] });
});

t.test('promote, demote, update, remove', async (t) => {
  const configuration = configurationOf(THREE, [4n]);
  t.match(changed(configuration, { type: 'promote', id: 4n }), { voters: [1n, 2n, 3n, 4n], learners: [] });
  t.match(changed(configuration, { type: 'demote', id: 1n }), {
    voters: [2n, 3n],
    learners: [1n, 4n],
    outgoing: [],
  });
  t.same(changed(configuration, { type: 'demote', id: 4n }), configuration, 'it is one already');

  const updated = changed(configuration, { type: 'update', id: 4n, name: 'x', clientUrls: ['http://c'] });
  t.same(find(updated, 4n), { ...memberOf(4n), name: 'x', clientUrls: ['http://c'] });
  t.same(updated.learners, [4n]);
  t.same(changed(configuration, { type: 'update', id: 4n }), configuration, 'what is absent stays');
  const peerUrls = memberOf(4n).peerUrls;
  t.ok(changed(configuration, { type: 'update', id: 4n, peerUrls }), 'its own address is not taken');

  for (const id of [3n, 4n]) {
    const without = changed(configuration, { type: 'remove', id });
    t.notOk(idsOf(without).includes(id));
    t.same(without.removed, [id]);
  }
});

t.test('refusals: each names its reason, and the configuration stays', async (t) => {
  const configuration = changed(configurationOf(THREE, [4n, 5n]), { type: 'remove', id: 5n });
  const before = encodeConfiguration(configuration);
  const taken = memberOf(1n).peerUrls;
  for (const [changes, reason] of [
    [[add(1n)], 'member-exists'],
    [[add(5n)], 'member-exists'],
    [[{ ...add(6n), member: { ...memberOf(6n), peerUrls: ['http://new', ...taken] } }], 'peer-url-exists'],
    [[{ type: 'update', id: 2n, peerUrls: taken }], 'peer-url-exists'],
    [[{ type: 'promote', id: 1n }], 'not-a-learner'],
    [[{ type: 'promote', id: 9n }], 'member-not-found'],
    [[{ type: 'demote', id: 9n }], 'member-not-found'],
    [[{ type: 'remove', id: 5n }], 'member-not-found'],
    [[{ type: 'update', id: 9n }], 'member-not-found'],
    [THREE.map((id) => ({ type: 'remove', id }) as const), 'no-voter-left'],
    [THREE.map((id) => ({ type: 'demote', id }) as const), 'no-voter-left'],
    [[add(6n), add(6n)], 'member-exists'],
    [[{ type: 'remove', id: 3n }, add(3n)], 'member-exists'],
  ] as const) {
    t.equal(applyChanges(configuration, changes), reason, JSON.stringify(changes.map(({ type }) => type)));
  }
  t.same(encodeConfiguration(configuration), before);
});

t.test(
  'joint: when more than one vote changes; the old voters and all members stay until it is left',
  async (t) => {
    const configuration = configurationOf(THREE, [4n, 6n]);
    const joint = changed(
      configuration,
      { type: 'remove', id: 3n },
      { type: 'promote', id: 4n },
      { type: 'demote', id: 2n },
      { type: 'remove', id: 6n },
      add(5n),
    );
    t.match(joint, { voters: [1n, 4n, 5n], outgoing: THREE, learners: [2n] });
    t.ok(isJoint(joint));
    t.same(idsOf(joint), [1n, 2n, 3n, 4n, 5n, 6n]);
    t.ok(
      [1n, 2n, 3n, 4n, 5n].every((id) => isVoter(joint, id)),
      'also one that will be a learner',
    );
    t.same(joint.removed, [], 'nobody ends before the joint configuration has');

    const left = leaveJoint(joint);
    t.match(left, { voters: [1n, 4n, 5n], outgoing: [], learners: [2n] });
    t.same(idsOf(left), [1n, 2n, 4n, 5n]);
    t.same(left.removed, [3n, 6n]);
  },
);

t.test('one vote at a time is not joint, whatever else changes', async (t) => {
  const configuration = configurationOf(THREE, [4n]);
  for (const changes of [
    [add(5n)],
    [{ type: 'remove', id: 3n }],
    [{ type: 'promote', id: 4n }],
    [{ type: 'remove', id: 3n }, { type: 'remove', id: 4n }, add(6n, true)],
    [{ type: 'demote', id: 3n }, { type: 'promote', id: 3n }, add(7n)],
  ] as const) {
    t.notOk(isJoint(changed(configuration, ...changes)));
  }
  t.ok(isJoint(changed(configuration, { type: 'remove', id: 3n }, add(5n))), 'a replacement is');
});

const plain = { noNullPrototype: true };
const texts = array(string(), { maxLength: 3 });
const member = record(
  { id: bigInt({ min: 1n, max: MAX_ID }), name: string(), peerUrls: texts, clientUrls: texts },
  plain,
);

t.test(
  'whatever is asked for: everyone is in members, once, and nobody is removed and a member',
  async (t) => {
    const small = bigInt({ min: 1n, max: 8n });
    const change = oneof(
      record({ id: small, learner: constantFrom(true, false) }).map(({ id, learner }) => add(id, learner)),
      record({ type: constantFrom('promote', 'demote', 'remove', 'update' as const), id: small }),
    );
    const holds = property(array(array(change, { maxLength: 4 }), { maxLength: 10 }), (batches) => {
      let configuration = configurationOf(THREE);
      for (const changes of batches) {
        const next = applyChanges(configuration, changes);
        if (typeof next === 'string') continue;
        if (!isSound(next)) return false;
        configuration = isJoint(next) ? leaveJoint(next) : next;
        if (!isSound(configuration) || isJoint(configuration)) return false;
      }
      return true;
    });
    t.doesNotThrow(() => assert(holds, { numRuns: 500 }));
  },
);

function isSound(configuration: Configuration): boolean {
  const { voters, outgoing, learners, removed } = configuration;
  const expected = new Set([...voters, ...outgoing, ...learners]);
  const listed = idsOf(configuration);
  return (
    voters.length > 0 &&
    listed.every((id, position) => position === 0 || (listed[position - 1] ?? 0n) < id) &&
    [...expected].every((id) => listed.includes(id)) &&
    (isJoint(configuration) || listed.length === expected.size) &&
    !voters.some((id) => learners.includes(id)) &&
    !removed.some((id) => listed.includes(id))
  );
}

t.test('bytes: what was encoded comes back', async (t) => {
  const ids = uniqueArray(bigInt({ min: 1n, max: MAX_ID }), { maxLength: 5 });
  const members = array(member, { maxLength: 5 });
  const configuration = record({ voters: ids, outgoing: ids, learners: ids, members, removed: ids }, plain);
  const roundTrip = property(configuration, (value) =>
    deepStrictEqual(decodeConfiguration(encodeConfiguration(value)), value),
  );
  t.doesNotThrow(() => assert(roundTrip));

  const changes: ConfigurationChange[] = [
    add(MAX_ID, true),
    { type: 'promote', id: 1n },
    { type: 'demote', id: 16n },
    { type: 'remove', id: 255n },
    { type: 'update', id: 3n },
    { type: 'update', id: 3n, name: 'ü', peerUrls: [], clientUrls: ['http://x'] },
  ];
  t.strictSame(decodeChanges(encodeChanges(changes)), changes);
  const within = Buffer.concat([Buffer.from('before'), encodeChanges(changes), Buffer.from('after')]);
  t.strictSame(decodeChanges(within.subarray(6, within.length - 5)), changes, 'from the middle of a buffer');
});

t.test('bytes: others are refused by a SyntaxError or TypeError, whatever they are', async (t) => {
  const throwsRight = (decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array) => {
    try {
      decode(bytes);
      return false;
    } catch (error) {
      return error instanceof SyntaxError || error instanceof TypeError;
    }
  };
  const noise = property(uint8Array(), (bytes) =>
    [decodeConfiguration, decodeChanges].every((decode) => throwsRight(decode, bytes)),
  );
  t.doesNotThrow(() => assert(noise));

  const lists = { voters: [], outgoing: [], learners: [], members: [], removed: [] };
  const whole = { id: '1', name: '', peerUrls: [], clientUrls: [] };
  for (const value of [
    null,
    7,
    'x',
    [],
    {},
    { ...lists, voters: 'abc' },
    { ...lists, voters: [1] },
    { ...lists, voters: ['0'] },
    { ...lists, voters: ['00'] },
    { ...lists, voters: ['-1'] },
    { ...lists, voters: ['11111111111111111'] },
    { ...lists, removed: null },
    { ...lists, members: [null] },
    { ...lists, members: [{ id: '1' }] },
    { ...lists, members: [{ ...whole, name: 5 }] },
    { ...lists, members: [{ ...whole, peerUrls: 'http://x' }] },
    { ...lists, members: [{ ...whole, clientUrls: [null] }] },
  ]) {
    const text = JSON.stringify(value);
    t.ok(throwsRight(decodeConfiguration, Buffer.from(text)), text);
  }
  for (const value of [
    null,
    {},
    [null],
    [{}],
    [{ type: 'promote' }],
    [{ type: 'unheard-of', id: '1' }],
    [{ type: 'promote', id: 1 }],
    [{ type: 'promote', member: whole }],
    [{ type: 'add', id: '1' }],
    [{ type: 'add', member: whole }],
    [{ type: 'add', member: { id: '1' }, learner: true }],
    [{ type: 'update', id: '1', name: 5 }],
    [{ type: 'update', id: '1', peerUrls: 'http://x' }],
  ]) {
    const text = JSON.stringify(value);
    t.ok(throwsRight(decodeChanges, Buffer.from(text)), text);
  }
});
