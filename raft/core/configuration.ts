/**
 * Who is in the cluster, and who of them decides (Raft §6, dissertation §4). A configuration is complete in itself: a
 * member uses the newest one in its log, committed or not, and goes back to the one before if that entry is cut off.
 */

export interface Member {
  /** 64 bits, unsigned, never 0. */
  readonly id: bigint;
  /** Empty until the member has started once. */
  readonly name: string;
  /** Where other members reach it. */
  readonly peerUrls: readonly string[];
  /** Where clients reach it; empty until the member has started once. */
  readonly clientUrls: readonly string[];
}

export interface Configuration {
  /** Ids of those who vote. */
  readonly voters: readonly bigint[];
  /**
   * Ids of those who voted before, while a joint configuration is in force; empty otherwise. Then every decision needs a
   * majority of both.
   */
  readonly outgoing: readonly bigint[];
  /** Ids of those who get the log and have no vote. One that is also outgoing votes until the joint one is left. */
  readonly learners: readonly bigint[];
  /**
   * Everyone in the three lists, in the order of ids. On a member that has joined and not heard from the leader yet the
   * lists are empty, and these are the ones it may hear from.
   */
  readonly members: readonly Member[];
  /** Ids that were members once. They are never members again. Disjoint from `members`. */
  readonly removed: readonly bigint[];
}

export const NO_CONFIGURATION: Configuration = {
  voters: [],
  outgoing: [],
  learners: [],
  members: [],
  removed: [],
};

/** One wish. Several at once that change more than one vote go through a joint configuration. */
export type ConfigurationChange =
  | { readonly type: 'add'; readonly member: Member; readonly learner: boolean }
  | { readonly type: 'promote'; readonly id: bigint }
  | { readonly type: 'demote'; readonly id: bigint }
  | { readonly type: 'remove'; readonly id: bigint }
  /** What is absent stays. */
  | {
      readonly type: 'update';
      readonly id: bigint;
      readonly name?: string;
      readonly peerUrls?: readonly string[];
      readonly clientUrls?: readonly string[];
    };

/** Why a change cannot be made; the first five are what a client can cause. */
export type ChangeRefusal =
  | 'member-exists'
  | 'member-not-found'
  | 'peer-url-exists'
  | 'not-a-learner'
  | 'no-voter-left'
  /** A change is under way, or the leader has committed nothing in its term yet; later it may go. */
  | 'change-pending';

export function initialConfiguration(members: readonly Member[]): Configuration {
  const sorted = inOrder(members);
  return { ...NO_CONFIGURATION, voters: sorted.map(({ id }) => id), members: sorted };
}

export function isJoint(configuration: Configuration): boolean {
  return configuration.outgoing.length > 0;
}

export function isVoter({ voters, outgoing }: Configuration, id: bigint): boolean {
  return voters.includes(id) || outgoing.includes(id);
}

export function memberOf({ members }: Configuration, id: bigint): Member | undefined {
  return members.find((member) => member.id === id);
}

/** What comes of `changes` to a configuration that is not joint: joint itself if more than one vote changes. */
export function applyChanges(
  configuration: Configuration,
  changes: readonly ConfigurationChange[],
): Configuration | ChangeRefusal {
  let target = configuration;
  for (const change of changes) {
    const next = applyOne(target, change);
    if (typeof next === 'string') return next;
    target = next;
  }
  if (target.voters.length === 0) return 'no-voter-left';
  if (votesChanged(configuration, target) <= 1) return target;
  // Until the joint configuration is left those who leave are members, and needed: nobody is removed yet.
  const joint = { ...target, outgoing: configuration.voters, removed: configuration.removed };
  return withMembersOf(joint, configuration);
}

/** The configuration that follows a joint one. */
export function leaveJoint(joint: Configuration): Configuration {
  const stays = ({ id }: Member) => joint.voters.includes(id) || joint.learners.includes(id);
  const gone = joint.members.filter((member) => !stays(member)).map(({ id }) => id);
  return {
    ...joint,
    outgoing: [],
    members: joint.members.filter(stays),
    removed: [...joint.removed, ...gone],
  };
}

function applyOne(configuration: Configuration, change: ConfigurationChange): Configuration | ChangeRefusal {
  if (change.type === 'add') return add(configuration, change.member, change.learner);
  const { id } = change;
  const member = memberOf(configuration, id);
  if (member === undefined) return 'member-not-found';
  if (change.type === 'update') return update(configuration, change);
  const without = (ids: readonly bigint[]) => ids.filter((other) => other !== id);
  const voters = without(configuration.voters);
  const learners = without(configuration.learners);
  if (change.type === 'demote') return { ...configuration, voters, learners: sortIds([...learners, id]) };
  if (change.type === 'promote') {
    if (!configuration.learners.includes(id)) return 'not-a-learner';
    return { ...configuration, voters: sortIds([...voters, id]), learners };
  }
  const members = configuration.members.filter((other) => other !== member);
  return { ...configuration, voters, learners, members, removed: [...configuration.removed, id] };
}

function update(
  configuration: Configuration,
  { type: _type, id, ...fields }: ConfigurationChange & { readonly type: 'update' },
): Configuration | ChangeRefusal {
  if (usesTakenUrl(configuration, fields.peerUrls ?? [], id)) return 'peer-url-exists';
  const members = configuration.members.map((member) =>
    member.id === id ? { ...member, ...fields } : member,
  );
  return { ...configuration, members };
}

function add(configuration: Configuration, member: Member, learner: boolean): Configuration | ChangeRefusal {
  const { id } = member;
  if (memberOf(configuration, id) !== undefined || configuration.removed.includes(id)) return 'member-exists';
  if (usesTakenUrl(configuration, member.peerUrls, id)) return 'peer-url-exists';
  const members = inOrder([...configuration.members, member]);
  return learner
    ? { ...configuration, members, learners: sortIds([...configuration.learners, id]) }
    : { ...configuration, members, voters: sortIds([...configuration.voters, id]) };
}

function usesTakenUrl({ members }: Configuration, urls: readonly string[], id: bigint): boolean {
  return members.some((member) => member.id !== id && member.peerUrls.some((url) => urls.includes(url)));
}

/** Those who leave a joint configuration are still reached until it is left. */
function withMembersOf(configuration: Configuration, previous: Configuration): Configuration {
  const leaving = previous.members.filter(({ id }) => memberOf(configuration, id) === undefined);
  return { ...configuration, members: inOrder([...configuration.members, ...leaving]) };
}

function votesChanged(before: Configuration, after: Configuration): number {
  const gone = before.voters.filter((id) => !after.voters.includes(id));
  const come = after.voters.filter((id) => !before.voters.includes(id));
  return gone.length + come.length;
}

function inOrder(members: readonly Member[]): Member[] {
  return [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function sortIds(ids: readonly bigint[]): bigint[] {
  return [...ids].sort((a, b) => (a < b ? -1 : 1));
}

/** JSON, ids as hexadecimal text: what a configuration entry and the store's metadata carry. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  return encode(configuration);
}

export function encodeChanges(changes: readonly ConfigurationChange[]): Uint8Array {
  return encode(changes);
}

/** @throws SyntaxError or TypeError for bytes that `encodeConfiguration` did not make */
export function decodeConfiguration(bytes: Uint8Array): Configuration {
  const { voters, outgoing, learners, members, removed } = parse(bytes) as Record<
    keyof Configuration,
    unknown[]
  >;
  return {
    voters: voters.map(idOf),
    outgoing: outgoing.map(idOf),
    learners: learners.map(idOf),
    members: members.map(memberFrom),
    removed: removed.map(idOf),
  };
}

/** @throws SyntaxError or TypeError for bytes that `encodeChanges` did not make */
export function decodeChanges(bytes: Uint8Array): ConfigurationChange[] {
  return (parse(bytes) as unknown[]).map(changeFrom);
}

function encode(value: unknown): Uint8Array {
  return Buffer.from(
    JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? each.toString(16) : each)),
  );
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
}

function idOf(text: unknown): bigint {
  if (!/^[1-9a-f][0-9a-f]{0,15}$/.test(textOf(text))) throw new TypeError('a member id is not hexadecimal');
  return BigInt(`0x${textOf(text)}`);
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a text is none');
  return value;
}

function textsOf(value: unknown): string[] {
  return (value as unknown[]).map(textOf);
}

function memberFrom(value: unknown): Member {
  const { id, name, peerUrls, clientUrls } = value as Record<keyof Member, unknown>;
  return { id: idOf(id), name: textOf(name), peerUrls: textsOf(peerUrls), clientUrls: textsOf(clientUrls) };
}

function changeFrom(value: unknown): ConfigurationChange {
  const { type, id, member, learner, name, peerUrls, clientUrls } = value as Record<string, unknown>;
  switch (type) {
    case 'add':
      if (typeof learner !== 'boolean') throw new TypeError('a member is neither learner nor voter');
      return { type, member: memberFrom(member), learner };
    case 'promote':
    case 'demote':
    case 'remove':
      return { type, id: idOf(id) };
    case 'update':
      return {
        type,
        id: idOf(id),
        ...(name !== undefined && { name: textOf(name) }),
        ...(peerUrls !== undefined && { peerUrls: textsOf(peerUrls) }),
        ...(clientUrls !== undefined && { clientUrls: textsOf(clientUrls) }),
      };
    default:
      throw new TypeError('a change is of no known type');
  }
}
