import { Member } from '../../../raft/node/member.js';
import type { LogEntry } from '../../../raft/log/log.js';
import { SnapshotReceiver } from '../../../raft/node/snapshot-receiver.js';
import type {
  LogPosition,
  ProposalOutcome,
  ProposeOptions,
  StagedSnapshot,
} from '../../../raft/node/consensus.js';
import type { IncomingSnapshot, OutgoingSnapshot } from '../../../raft/transport/transport.js';
import type { CommandResult } from '../command.js';
import { SimulatedLog } from '../log.js';
import { SimulatedMachine } from '../machine.js';
import { all, replace, type PlantedBug } from './patch.js';
import { manyElections, repeatedMessages, shortLogs, slowDisks } from './surroundings.js';

interface Proposing {
  propose(
    this: Member<CommandResult>,
    payload: Uint8Array,
    options: ProposeOptions,
  ): Promise<ProposalOutcome<CommandResult>>;
}

interface Receiving {
  receive(this: SnapshotReceiver, snapshot: IncomingSnapshot): Promise<void>;
}

interface Storing {
  apply(this: SimulatedMachine, entries: readonly LogEntry[]): (CommandResult | undefined)[];
  onDurable(this: SimulatedMachine, listener: (durable: LogPosition) => void): () => void;
  snapshot(this: SimulatedMachine): Promise<OutgoingSnapshot>;
  stage(this: SimulatedMachine, snapshot: IncomingSnapshot): Promise<StagedSnapshot>;
}
const machines = SimulatedMachine.prototype as Storing;

export const driverBugs: readonly PlantedBug[] = [
  {
    name: 'an unknown outcome is told as rejected',
    rule: 'rejected is what certainly is not applied, now or later (architecture, point 14)',
    plant: () =>
      replace(
        Member.prototype as Proposing,
        'propose',
        (propose) =>
          async function (payload, options) {
            const outcome = await propose.call(this, payload, options);
            return outcome.type === 'unknown' ? { type: 'rejected', reason: 'deadline' } : outcome;
          },
      ),
  },
  {
    name: 'applies what is not on its own disk',
    rule: 'an entry is applied when it is committed and durable here (architecture, point 3)',
    plant: plantDurability,
    surroundings: slowDisks,
  },
  {
    name: 'a snapshot moves the state back',
    rule: 'a snapshot is installed only if it is ahead (Raft §7)',
    plant: plantOldSnapshots,
    surroundings: (profile) => repeatedMessages(shortLogs(profile)),
  },
  {
    name: 'cuts its log at what is applied, durable or not',
    rule: 'the log is cut at or below the durable applied index (architecture, point 3)',
    plant: plantHastyCuts,
    surroundings: (profile) => manyElections(shortLogs(profile)),
  },
];

/** Whatever was written counts as durable. */
function plantDurability(): () => void {
  const property = Object.getOwnPropertyDescriptor(SimulatedLog.prototype, 'durableIndex');
  if (property === undefined) throw new TypeError('there is no property durableIndex to replace');
  const lastIndex = function (this: SimulatedLog) {
    return this.lastIndex;
  };
  Object.defineProperty(SimulatedLog.prototype, 'durableIndex', { ...property, get: lastIndex });
  return () => void Object.defineProperty(SimulatedLog.prototype, 'durableIndex', property);
}

/** What is applied is told as durable. */
function plantHastyCuts(): () => void {
  const listeners = new WeakMap<SimulatedMachine, (durable: LogPosition) => void>();
  return all(
    replace(
      machines,
      'onDurable',
      () =>
        function (listener) {
          listeners.set(this, listener);
          return () => undefined;
        },
    ),
    replace(
      machines,
      'apply',
      (apply) =>
        function (entries) {
          const results = apply.call(this, entries);
          queueMicrotask(() => listeners.get(this)?.(this.applied));
          return results;
        },
    ),
  );
}

/** The first copy that was made is sent for ever, and whoever gets it takes it for news. */
function plantOldSnapshots(): () => void {
  const copies = new WeakMap<SimulatedMachine, OutgoingSnapshot>();
  let isInstalled = false;
  return all(
    replace(
      machines,
      'snapshot',
      (snapshot) =>
        async function () {
          const copy = copies.get(this) ?? (await snapshot.call(this));
          copies.set(this, copy);
          return copy;
        },
    ),
    replace(
      machines,
      'stage',
      (stage) =>
        async function (snapshot) {
          const staged = await stage.call(this, snapshot);
          const install = async () => {
            await staged.install();
            isInstalled = true;
          };
          return { ...staged, install };
        },
    ),
    replace(
      SnapshotReceiver.prototype as Receiving,
      'receive',
      (receive) =>
        function (snapshot) {
          isInstalled = false;
          // An index above all others until it is installed.
          const newest = Object.create(snapshot, {
            index: { get: () => (isInstalled ? snapshot.index : Infinity) },
          });
          return receive.call(this, newest as IncomingSnapshot);
        },
    ),
  );
}
