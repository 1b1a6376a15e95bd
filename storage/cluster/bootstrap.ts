/**
 * Who a member is when its data directory is new. Of a new cluster the members agree on that without talking: ids are
 * hashes of the peer URLs and the token, as in etcd. Who joins a cluster that exists is told by the others (join.ts).
 */
import { createHash, randomBytes } from 'node:crypto';
import { initialConfiguration, type Configuration, type Member } from '../../raft/core/configuration.js';

export interface Bootstrap {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly configuration: Configuration;
}

export interface InitialMember {
  readonly name: string;
  /** In order (urls.ts). */
  readonly peerUrls: readonly string[];
}

/** Why there is no member to start, in one line. The texts are etcd's where it has one. */
export class BootstrapError extends Error {
  override name = 'BootstrapError';
}

/** What the flags say of the initial cluster does not fit together. */
export class InitialClusterError extends BootstrapError {
  override name = 'InitialClusterError';
}

/** A cluster of its own that nobody else can be taken for. */
export function loneMember({ name, peerUrls }: InitialMember): Bootstrap {
  const memberId = randomId();
  const configuration = initialConfiguration([{ id: memberId, name, peerUrls, clientUrls: [] }]);
  return { clusterId: randomId(), memberId, configuration };
}

/**
 * The same for every member that is given the same. No member has a name there: each tells its own when it has started,
 * so that the others know that it has. @throws InitialClusterError
 */
export function newCluster(initial: readonly InitialMember[], own: InitialMember, token: string): Bootstrap {
  checkInitial(initial, own);
  const members = initial.map(
    ({ peerUrls }): Member => ({ id: memberIdOf(peerUrls, token), name: '', peerUrls, clientUrls: [] }),
  );
  const configuration = initialConfiguration(members);
  const clusterId = idFrom(['cluster', ...configuration.voters.map(String)]);
  return { clusterId, memberId: memberIdOf(own.peerUrls, token), configuration };
}

/**
 * Of a new cluster that starts with what another one had. Its id also tells from what it was made (`origin`): who starts
 * with something else, or with nothing, or is left over of the other one, is none of it. @throws InitialClusterError
 */
export function restoredCluster(
  initial: readonly InitialMember[],
  own: InitialMember,
  token: string,
  origin: readonly string[],
): Bootstrap {
  const bootstrap = newCluster(initial, own, token);
  return { ...bootstrap, clusterId: idFrom(['restored', String(bootstrap.clusterId), ...origin]) };
}

/** @throws InitialClusterError */
export function checkInitial(initial: readonly InitialMember[], own: InitialMember): void {
  const listed = initial.map(textOf).join(',');
  const urls = initial.flatMap(({ peerUrls }) => peerUrls);
  if (new Set(urls).size < urls.length) {
    throw new InitialClusterError(`initial cluster ${listed} has duplicate url`);
  }
  const named = initial.find(({ name }) => name === own.name);
  if (named === undefined) {
    throw new InitialClusterError(
      `couldn't find local name "${own.name}" in the initial cluster configuration`,
    );
  }
  if (!sameUrls(named.peerUrls, own.peerUrls)) {
    const given = own.peerUrls.join(',');
    throw new InitialClusterError(
      `--initial-cluster has ${textOf(named)} but --initial-advertise-peer-urls is ${given}`,
    );
  }
}

function textOf({ name, peerUrls }: InitialMember): string {
  return peerUrls.map((url) => `${name}=${url}`).join(',');
}

export function sameUrls(some: readonly string[], others: readonly string[]): boolean {
  const sorted = [...others].sort();
  return some.length === sorted.length && [...some].sort().every((url, position) => url === sorted[position]);
}

function memberIdOf(peerUrls: readonly string[], token: string): bigint {
  return idFrom(['member', token, ...peerUrls]);
}

/** Of a member that is added at run time: another one each time, since an id that was removed never comes back. */
export function addedMemberId(peerUrls: readonly string[]): bigint {
  return idFrom(['added', randomBytes(16).toString('hex'), ...peerUrls]);
}

function randomId(): bigint {
  return notZero(randomBytes(8).readBigUInt64BE());
}

/** 64 bits of a hash. Written as JSON, so that no two lists of words look alike. */
function idFrom(words: readonly string[]): bigint {
  return notZero(createHash('sha256').update(JSON.stringify(words)).digest().readBigUInt64BE());
}

/** 0 means "none". */
function notZero(id: bigint): bigint {
  return id === 0n ? 1n : id;
}
