/** Whatever the disk, the state machine and the callers do, and whenever the power fails. */
import {
  array,
  assert,
  asyncProperty,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  record,
  type Arbitrary,
} from 'fast-check';
import t from 'tap';
import { ConsensusError, type ProposalOutcome } from '../../raft/node/consensus.js';
import { PROPOSAL_OVERHEAD_BYTES } from '../../raft/node/proposals.js';
import { Member } from '../../raft/node/member.js';
import { ControlledLog } from './controlled-log.js';
import { RecordingMachine } from './recording-machine.js';

/** One thing that happens. */
type Step =
  | { readonly type: 'propose'; readonly count: number }
  | { readonly type: 'sync'; readonly count: number }
  | { readonly type: 'turns'; readonly count: number }
  | { readonly type: 'microtasks'; readonly count: number }
  | { readonly type: 'hold' | 'let-go' | 'abort-oldest' | 'read' | 'break-disk' | 'break-machine' | 'stop' };

const often: Arbitrary<Step> = oneof(
  record({ type: constant('propose' as const), count: integer({ min: 1, max: 4 }) }),
  record({ type: constant('sync' as const), count: integer({ min: 1, max: 3 }) }),
  record({ type: constant('turns' as const), count: integer({ min: 1, max: 2 }) }),
  record({ type: constant('microtasks' as const), count: integer({ min: 1, max: 6 }) }),
  record({
    type: constantFrom('hold' as const, 'let-go' as const, 'abort-oldest' as const, 'read' as const),
  }),
);
const seldom: Arbitrary<Step> = record({
  type: constantFrom('break-disk' as const, 'break-machine' as const, 'stop' as const),
});
const steps = array(oneof({ arbitrary: often, weight: 40 }, { arbitrary: seldom, weight: 1 }), {
  maxLength: 80,
});

const PENDING_MAX = 12;

interface Proposed {
  readonly name: string;
  readonly abort: AbortController;
  /** Undefined while it waits. */
  outcome: ProposalOutcome<string> | undefined;
}

class Run {
  readonly log = new ControlledLog();
  readonly machine = new RecordingMachine(this.log);
  readonly proposed: Proposed[] = [];
  readonly violations: string[] = [];
  #member: Member<string> | undefined;

  async start(): Promise<void> {
    this.#member = await begin(this.log, this.machine);
    this.log.autoSync = false;
  }

  get member(): Member<string> {
    if (this.#member === undefined) throw new Error('not started');
    return this.#member;
  }

  async take(step: Step): Promise<void> {
    switch (step.type) {
      case 'propose':
        for (let i = 0; i < step.count; i += 1) this.#propose();
        break;
      case 'sync':
        this.log.sync(step.count);
        break;
      case 'turns':
        for (let i = 0; i < step.count; i += 1) await new Promise(setImmediate);
        break;
      case 'microtasks':
        for (let i = 0; i < step.count; i += 1) await Promise.resolve();
        break;
      case 'hold':
        this.machine.hold();
        break;
      case 'let-go':
        this.machine.letGo();
        break;
      case 'abort-oldest':
        this.proposed.find(({ outcome }) => outcome === undefined)?.abort.abort();
        break;
      case 'read':
        void this.#read();
        break;
      case 'break-disk':
        this.log.fail(new Error('broken disk'));
        break;
      case 'break-machine':
        this.machine.failWith = new Error('broken machine');
        break;
      case 'stop':
        void this.member.stop();
        break;
    }
  }

  /** Everything that can end does. */
  async finish(): Promise<void> {
    this.machine.letGo();
    const stopped = this.member.stop();
    while (this.log.inFlight > 0) {
      this.log.sync();
      await new Promise(setImmediate);
    }
    await stopped;
  }

  #propose(): void {
    const name = `p${this.proposed.length}`;
    const abort = new AbortController();
    const proposal: Proposed = { name, abort, outcome: undefined };
    this.proposed.push(proposal);
    void this.#await(proposal);
  }

  async #await(proposal: Proposed): Promise<void> {
    const { name, abort } = proposal;
    const outcome = await this.member.propose(Buffer.from(name), {
      deadline: Infinity,
      signal: abort.signal,
    });
    if (outcome.type === 'applied' && !this.machine.payloads.includes(name)) {
      this.violations.push(`${name} is not applied`);
    }
    proposal.outcome = outcome;
  }

  /** A read sees every write that was answered before it. */
  async #read(): Promise<void> {
    const answered = this.proposed.filter(({ outcome }) => outcome?.type === 'applied').length;
    try {
      await this.member.readIndex({ deadline: Infinity });
      if (this.machine.payloads.length < answered) this.violations.push('a read missed a write');
    } catch (error) {
      if (!(error instanceof ConsensusError)) this.violations.push(String(error));
    }
  }
}

async function begin(log: ControlledLog, stateMachine: RecordingMachine): Promise<Member<string>> {
  return await Member.start({
    clusterId: 1n,
    memberId: 7n,
    session: 9n,
    log,
    stateMachine,
    onFatal: () => undefined,
    proposalLimits: { payloadBytesMax: 100, pendingBytesMax: PENDING_MAX * (PROPOSAL_OVERHEAD_BYTES + 4) },
  });
}

t.test('every proposal ends once and truly, in log order, and survives a power cut if applied', async (t) => {
  const seen = { applied: 0, rejected: 0, unknown: 0 };
  const property = asyncProperty(steps, nat(), async (schedule, cutAt) => {
    const run = new Run();
    await run.start();
    for (const [position, step] of schedule.entries()) {
      if (position === cutAt % (schedule.length + 1)) await verifyPowerCut(run);
      await run.take(step);
    }
    await run.finish();

    verifyOutcomes(run);
    for (const { outcome } of run.proposed) if (outcome !== undefined) seen[outcome.type] += 1;
  });

  await t.resolves(assert(property, { numRuns: 400 }));

  t.comment(`outcomes: ${JSON.stringify(seen)}`);
  t.ok(seen.applied > 0 && seen.rejected > 0 && seen.unknown > 0, 'all three outcomes were met');
});

function verifyOutcomes(run: Run): void {
  const { proposed, machine, violations } = run;
  check(violations.length === 0, violations.join());
  check(machine.violations.length === 0, machine.violations.join());
  const inLog = run.log.durable().entries.map(({ payload }) => Buffer.from(payload).toString());
  for (const { name, outcome } of proposed) {
    check(outcome !== undefined, `${name} has no outcome`);
    if (outcome.type === 'applied') check(outcome.result === `did ${name}`, `${name} got ${outcome.result}`);
    if (outcome.type === 'rejected') check(!inLog.includes(name), `${name} was rejected and is in the log`);
    if (machine.payloads.includes(name))
      check(outcome.type !== 'rejected', `${name} was rejected and applied`);
  }
  const order = proposed.map(({ name }) => name).filter((name) => machine.payloads.includes(name));
  check(order.join() === machine.payloads.join(), 'proposals were applied out of order');
}

/** A new process on what the disk holds now finds everything that anyone was told. */
async function verifyPowerCut(run: Run): Promise<void> {
  const told = run.proposed.filter(({ outcome }) => outcome?.type === 'applied').map(({ name }) => name);
  const log = new ControlledLog(run.log.durable());
  const machine = new RecordingMachine(log);
  const member = await begin(log, machine);
  check(
    told.every((name) => machine.payloads.includes(name)),
    'a power cut lost a write that was answered',
  );
  const applied = run.machine.payloads;
  check(machine.payloads.slice(0, applied.length).join() === applied.join(), 'the replay differs');
  await member.stop();
}

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}
