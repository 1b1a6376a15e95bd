/**
 * Random operations sent to Wherry and to a real etcd: every answer, every error and every watch event is the same. The
 * long form: `npm run differential`. A failure prints its seed, which WHERRY_TEST_SEED takes.
 */
import t, { type Test } from 'tap';
import { random } from '../raft/random.js';
import type { Message } from '../tools/etcd-definitions.js';
import { etcdMissing } from '../tools/real-etcd.js';
import { compare, DifferenceError } from './compare.js';
import type { SideOptions } from './side.js';
import { startSide } from './stores.js';
import { WatchLog } from './watch-log.js';

const skip = etcdMissing;

/** Of the short form. */
const OPERATIONS = 2000;

t.test('Wherry answers as etcd does', { skip }, async (t) => {
  const [reference, subject] = await Promise.all([startSide('etcd'), startSide('wherry')]);
  t.teardown(() => Promise.all([reference.stop(), subject.stop()]));
  const { seed } = random();
  t.comment(`seed ${seed}`);
  await compare(reference.side, subject.side, { seed, operations: OPERATIONS });
  t.pass(`${OPERATIONS} operations of seed ${seed} came to the same`);
});

t.test('a difference is found', { skip }, async (t) => {
  const find = async (t: Test, tampering: Pick<SideOptions, 'tamper' | 'tamperWatch'>) => {
    // Both sides wait for watches to become equal.
    const options = { watchMsMax: 1000 };
    const [reference, subject] = await Promise.all([
      startSide('etcd', options),
      startSide('etcd', { ...options, ...tampering }),
    ]);
    t.teardown(() => Promise.all([reference.stop(), subject.stop()]));
    const { seed } = random();
    t.comment(`seed ${seed}`);
    await t.rejects(compare(reference.side, subject.side, { seed, operations: 2000 }), DifferenceError);
  };

  await t.test('in one field of rare answers', (t) =>
    find(t, {
      tamper: (_method, outcome) =>
        'answer' in outcome && outcome.answer['more'] === true
          ? { answer: { ...outcome.answer, count: '1' } }
          : outcome,
    }),
  );
  await t.test('in what a watch hears', (t) =>
    find(t, {
      tamperWatch: (response) => {
        const events = response['events'] as Message[];
        return events.length > 1 ? { ...response, events: events.slice(1) } : response;
      },
    }),
  );
});

t.test('what a stream promises is checked, however its events are split', async (t) => {
  const event = (revision: number) => ({ kv: { modRevision: String(revision) } });
  const broken = (...responses: readonly { readonly fragment?: boolean; readonly revisions: number[] }[]) => {
    const log = new WatchLog();
    log.add({ watchId: '0', created: true });
    for (const { revisions, fragment = false } of responses) {
      log.add({ watchId: '0', header: { revision: '9' }, events: revisions.map(event), fragment });
    }
    return log.broken.length > 0;
  };
  t.notOk(broken({ revisions: [2, 2, 3] }, { revisions: [4] }));
  t.ok(broken({ revisions: [2, 2] }, { revisions: [2, 3] }), 'a revision that is split');
  t.notOk(broken({ revisions: [2, 2], fragment: true }, { revisions: [2, 3] }), 'unless it says so');
  t.ok(broken({ revisions: [3] }, { revisions: [2] }), 'an event twice, or out of order');
  t.ok(broken({ revisions: [3, 2] }), 'within a response too');
  t.ok(broken({ revisions: [10] }), 'an event from after its header');
});
