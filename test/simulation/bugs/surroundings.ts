/** Surroundings in which certain mistakes show sooner: what chance would draw now and then is there always. */
import { RAFT_LIMITS } from '../../../raft/core/options.js';
import { ALL_FAULTS } from '../faults.js';
import { GOOD_LINKS } from '../network.js';
import { ALL_WISHES } from '../operator.js';
import type { Profile, ProfileChange } from '../profile.js';

export function fiveMembers(profile: Profile): Profile {
  return { ...profile, members: 5 };
}

export function threeMembers(profile: Profile): Profile {
  return { ...profile, members: 3 };
}

/** Leaders come and go, several stand at once, and processes end and start again meanwhile. */
export function manyElections(profile: Profile): Profile {
  const { electionTimeoutMs } = profile.host.times;
  return {
    ...profile,
    members: Math.max(3, profile.members),
    host: { ...profile.host, electionSpread: 0.1, crashPoints: { chance: 0.003, afterSending: {} } },
    faults: {
      ...profile.faults,
      meanMs: electionTimeoutMs * 2,
      lastsMs: electionTimeoutMs,
      weights: { ...ALL_FAULTS, 'leader crash': 10, 'leader cut off': 5, crash: 10, 'crash of all': 3 },
    },
  };
}

/** A leader goes on for a while without the others, who have another one, and comes back. */
export function lostLeaders(profile: Profile): Profile {
  const { electionTimeoutMs } = profile.host.times;
  return {
    ...profile,
    members: Math.max(3, profile.members),
    clients: { ...profile.clients, clients: 6, keys: 1, pauseMs: electionTimeoutMs / 20 },
    faults: {
      ...profile.faults,
      usualLinks: GOOD_LINKS,
      meanMs: electionTimeoutMs * 4,
      lastsMs: electionTimeoutMs * 3,
      weights: { 'leader cut off': 5, partition: 3, 'leader pause': 3, 'clock rate': 1, 'leader crash': 1 },
    },
  };
}

export function repeatedMessages(profile: Profile): Profile {
  const { electionTimeoutMs } = profile.host.times;
  const usualLinks = {
    ...GOOD_LINKS,
    inOrder: false,
    duplication: 0.3,
    delayMs: electionTimeoutMs / 50,
    holdUpChance: 0.1,
    holdUpMs: electionTimeoutMs * 2,
  };
  return { ...profile, faults: { ...profile.faults, usualLinks, badLinks: { ...usualLinks, loss: 0.3 } } };
}

/** The configuration changes all the time. */
export function manyChanges(profile: Profile): Profile {
  const { electionTimeoutMs } = profile.host.times;
  return {
    ...profile,
    operator: { ...profile.operator, changeMs: electionTimeoutMs / 2, votersMax: 5, wishes: ALL_WISHES },
  };
}

/** Followers fall behind what the leader's log still has. */
export function shortLogs(profile: Profile): Profile {
  return {
    ...profile,
    members: Math.max(3, profile.members),
    host: {
      ...profile.host,
      limits: RAFT_LIMITS,
      tailLimits: { entriesMax: 3, bytesMax: 200, cutStep: 1, heldEntriesMax: 5 },
      machineTimes: { ...profile.host.machineTimes, checkpointMs: 10 },
    },
    clients: { ...profile.clients, pauseMs: 5, clients: 6 },
  };
}

export function slowDisks(profile: Profile): Profile {
  return { ...profile, faults: { ...profile.faults, weights: { ...ALL_FAULTS, 'slow disk': 20 } } };
}

/** Members end right after they have said something, and are there again at once. */
export function crashAfter(afterSending: Profile['host']['crashPoints']['afterSending']): ProfileChange {
  return (profile) => ({
    ...profile,
    host: { ...profile.host, electionSpread: 0.1, crashPoints: { chance: 0.001, afterSending } },
  });
}

/** Messages take a good part of an election. */
export function slowLinks(profile: Profile): Profile {
  const usualLinks = { ...GOOD_LINKS, inOrder: false, delayMs: profile.host.times.electionTimeoutMs / 15 };
  return { ...profile, faults: { ...profile.faults, usualLinks } };
}

/** One leader after the other is lost before it has done much, and some come back. */
export function shortReigns(profile: Profile): Profile {
  const { electionTimeoutMs } = profile.host.times;
  const { faults } = lostLeaders(profile);
  const weights = { 'leader cut off': 5, 'leader crash': 3, partition: 2, 'leader pause': 1 };
  return {
    ...lostLeaders(profile),
    faults: { ...faults, meanMs: electionTimeoutMs * 1.5, lastsMs: electionTimeoutMs * 2, weights },
  };
}

/** Voters take the place of others. */
export function manyReplacements(profile: Profile): Profile {
  const changed = manyChanges(profile);
  const wishes = { replace: 3, 'add learner': 2, 'swap several': 4 };
  return { ...changed, operator: { ...changed.operator, wishes } };
}

/** Leaders end after a few messages, many of which are lost: entries of many terms lie on few disks each (figure 8). */
export function abandonedEntries(profile: Profile): Profile {
  const electionTimeoutMs = 200;
  const links = { ...GOOD_LINKS, loss: 0.4, delayMs: 2, inOrder: false };
  return {
    ...profile,
    members: 5,
    host: {
      ...profile.host,
      times: { electionTimeoutMs, heartbeatMs: 20 },
      limits: { messagesMax: 1, bytesMax: 1, appendBytesMax: 1 },
      electionSpread: 1,
      crashPoints: { chance: 0, afterSending: { append: 0.1 } },
    },
    clients: { ...profile.clients, clients: 1, pauseMs: electionTimeoutMs },
    operator: { ...profile.operator, changeMs: Infinity, transferMs: Infinity },
    faults: {
      ...profile.faults,
      usualLinks: links,
      badLinks: links,
      meanMs: Infinity,
      lastsMs: electionTimeoutMs,
    },
  };
}
