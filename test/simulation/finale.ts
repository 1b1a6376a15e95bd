import { isJoint } from '../../raft/core/configuration.js';
import type { Clients } from './clients.js';
import type { Cluster } from './cluster.js';
import type { Host, Life } from './host.js';
import { numberOf } from './ids.js';

/** Election time-outs within which a healed cluster must work again. */
const TIMEOUTS_MAX = 60;
/** Milliseconds beyond them, for what waits for fixed times: transfers, deadlines of the last calls. */
const EXTRA_MS = 10_000;
const RETRY_MS = 50;
const DEADLINE_MS = 1_000;
/** Milliseconds by which a write and a read have been answered, one way or the other. */
const ANSWER_MS_MAX = 2 * DEADLINE_MS + 500;
/** How long members may take to apply what the last write has committed, in RETRY_MS. */
const AGREE_TRIES = 20;
/** The client that looks at the healed cluster. */
const OBSERVER = 0;
const KEY = 'k1';

/**
 * Everything has healed: within bounded time there is a leader, a write and a read succeed through every member, every
 * member has the same state, and nothing that was asked for is still without an answer.
 */
export async function finish(cluster: Cluster, clients: Clients): Promise<void> {
  const { world } = cluster;
  const limit = world.now + cluster.settings.times.electionTimeoutMs * TIMEOUTS_MAX + EXTRA_MS;
  let isDone = false;
  const settle = async () => {
    let missing = 'nothing was tried';
    while (world.now < limit) {
      missing = (await problem(cluster, clients)) ?? '';
      if (missing === '') break;
      await world.sleep(RETRY_MS);
    }
    if (missing !== '') world.fail(`the healed cluster does not work again (liveness): ${missing}`);
    isDone = true;
  };
  const settled = settle();
  // A failed check ends the run before that.
  await world.run(() => isDone);
  if (isDone) await settled;
}

/** What still is not as it should be. */
async function problem(cluster: Cluster, clients: Clients): Promise<string | undefined> {
  const leader = cluster.leader();
  const configuration = leader?.driver?.configuration();
  if (leader === undefined || configuration === undefined) return 'nobody leads';
  if (isJoint(configuration)) return 'the configuration is joint';
  const hosts: Host[] = [];
  for (const { id } of configuration.members) {
    const host = cluster.host(numberOf(id));
    if (host?.life === undefined || host.driver === undefined) return `member ${numberOf(id)} does not run`;
    hosts.push(host);
  }
  for (const { life, member } of hosts) {
    if (life === undefined || !(await works(life, clients))) return `member ${member} does not serve`;
  }
  for (let tries = 0; !agree(hosts); tries += 1) {
    if (tries === AGREE_TRIES) {
      const positions = hosts.map(({ member, life }) => `${member} at ${life?.machine.applied.index}`);
      return `members have applied different things: ${positions.join(', ')}`;
    }
    await cluster.world.sleep(RETRY_MS);
  }
  const [open] = [...clients.open.values()].filter(({ life }) => life.isAlive);
  return open === undefined ? undefined : `a call at member ${open.life.member} has no answer: ${open.what}`;
}

function agree(hosts: readonly Host[]): boolean {
  const states = hosts.map(({ life }) => `${life?.machine.applied.index}:${life?.machine.state.chain}`);
  return new Set(states).size === 1;
}

/** A process may end meanwhile, when it learns that it was removed; its answer never comes then. */
async function works(life: Life, clients: Clients): Promise<boolean> {
  const ended = new Promise<boolean>((resolve) => void life.process.onDeath(() => resolve(false)));
  const late = life.process.world.sleep(ANSWER_MS_MAX).then(() => false);
  const call = () => ({ deadline: life.clock.now() + DEADLINE_MS });
  const id = clients.nextId();
  const command = { id, kind: 'write', key: KEY, value: `v${id}` } as const;
  const served = async () =>
    (await clients.write(life, OBSERVER, command, call())) &&
    (await clients.read(life, OBSERVER, KEY, call()));
  return Promise.race([served(), ended, late]);
}
