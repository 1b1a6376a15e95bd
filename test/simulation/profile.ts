import { RAFT_LIMITS } from '../../raft/core/options.js';
import type { ClientSettings } from './clients.js';
import { ALL_FAULTS, type FaultSettings } from './faults.js';
import type { HostSettings } from './host.js';
import { GOOD_LINKS, type LinkQuality } from './network.js';
import { ALL_WISHES, type OperatorSettings } from './operator.js';
import type { Random } from './random.js';

/** Everything that shapes one simulation besides its seed's chance. */
export interface Profile {
  readonly members: number;
  readonly host: HostSettings;
  readonly clients: ClientSettings;
  readonly faults: FaultSettings;
  readonly operator: OperatorSettings;
}

/** Changes a profile that chance has drawn: for those who look for something rare. */
export type ProfileChange = (profile: Profile) => Profile;

/** Draws the surroundings: calm and wild ones, small and large clusters, short and long logs. */
export function drawProfile(random: Random, members: number | undefined): Profile {
  const electionTimeoutMs = random.pick([200, 500, 1000]);
  return {
    members: members ?? random.pick([1, 2, 3, 3, 3, 3, 3, 5, 5]),
    host: drawHost(random, electionTimeoutMs),
    clients: {
      clients: random.between(1, 6),
      keys: random.between(1, 4),
      inFlightMax: random.between(1, 4),
      pauseMs: random.pick([5, 20, 60]),
      deadlineMs: { min: 20, max: random.pick([300, 3_000]) },
      operations: { read: 3, write: 3, 'compare-and-set': 3, question: 0.3 },
    },
    faults: {
      meanMs: electionTimeoutMs * random.pick([0.5, 1.5, 4]),
      lastsMs: electionTimeoutMs * random.pick([0.5, 2, 5]),
      weights: some(ALL_FAULTS, random),
      usualLinks: random.chance(0.5) ? GOOD_LINKS : drawLinks(random, electionTimeoutMs),
      badLinks: drawLinks(random, electionTimeoutMs),
    },
    operator: {
      changeMs: random.chance(0.5) ? electionTimeoutMs * random.pick([0.5, 2, 5]) : Infinity,
      transferMs: random.chance(0.3) ? electionTimeoutMs * random.pick([1, 4]) : Infinity,
      votersMin: 2,
      votersMax: random.between(3, 6),
      wishes: some(ALL_WISHES, random),
    },
  };
}

function drawHost(random: Random, electionTimeoutMs: number): HostSettings {
  const entriesMax = random.pick([5, 20, 200]);
  return {
    times: { electionTimeoutMs, heartbeatMs: electionTimeoutMs / random.pick([5, 10]) },
    limits: random.chance(0.5)
      ? RAFT_LIMITS
      : { messagesMax: random.between(1, 4), bytesMax: 200, appendBytesMax: 60 },
    tailLimits: {
      entriesMax,
      bytesMax: random.pick([500, 2 ** 20]),
      cutStep: random.between(1, 10),
      heldEntriesMax: entriesMax * random.pick([1, 4]),
    },
    residentBytesMax: random.pick([400, 4_000, 2 ** 20]),
    machineTimes: {
      checkpointMs: random.pick([10, 100, 1_000]),
      snapshotMs: random.pick([0.5, 10]),
      busyChance: random.pick([0, 0, 0.1]),
    },
    electionSpread: random.pick([1, 1, 0.1]),
    crashPoints: random.pick([
      { chance: 0, afterSending: {} },
      { chance: 0.001, afterSending: {} },
      { chance: 0.003, afterSending: {} },
      { chance: 0.001, afterSending: { 'vote-response': 0.1, append: 0.005, 'append-response': 0.005 } },
    ]),
  };
}

function drawLinks(random: Random, electionTimeoutMs: number): LinkQuality {
  return {
    loss: random.pick([0, 0.02, 0.1, 0.3]),
    duplication: random.pick([0, 0.02, 0.2]),
    delayMs: random.pick([0.5, 2, electionTimeoutMs / 20]),
    holdUpChance: random.pick([0, 0.01, 0.1]),
    holdUpMs: electionTimeoutMs * random.pick([0.5, 2, 6]),
    inOrder: random.chance(0.3),
    breakChance: random.pick([0, 0.05, 0.3]),
  };
}

/** About two thirds of the kinds, one at least: a simulation of few kinds goes deeper into each. */
function some<K extends string>(
  weights: Readonly<Record<K, number>>,
  random: Random,
): Partial<Record<K, number>> {
  const kinds = Object.keys(weights) as K[];
  const certain = random.pick(kinds);
  const chosen = kinds.filter((kind) => kind === certain || random.chance(2 / 3));
  return Object.fromEntries(chosen.map((kind) => [kind, weights[kind]])) as Partial<Record<K, number>>;
}
