/**
 * Leader election through a Lease, as schedulers and controllers do it. Start several; one leads. Kill it, and
 * another takes over when the lease has run out.
 *
 *   KUBECONFIG=wherry-data/kubeconfig node dist/examples/leader-election.js NAME
 *
 * The lease says who holds it and for how long since its last renewal. Every write carries the resourceVersion that was
 * read, so that of two candidates who both find it expired only one can take it. Nobody compares clocks with another
 * machine: a candidate waits until the lease has not changed for its whole duration by its own clock.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ApiException,
  CoordinationV1Api,
  KubeConfig,
  type V1Lease,
  V1MicroTime,
} from '@kubernetes/client-node';

const leaseName = process.env['LEASE_NAME'] ?? 'example-leader';
const namespace = process.env['LEASE_NAMESPACE'] ?? 'default';
const leaseSeconds = Number(process.env['LEASE_SECONDS'] ?? 5);
const retryMs = (leaseSeconds * 1000) / 5;
/** A leader that could not renew for this long stops leading: before any other can believe that it may start. */
const renewDeadlineMs = leaseSeconds * 1000 * 0.7;

const me = process.argv[2] ?? `candidate-${process.pid}`;
const kubeConfig = new KubeConfig();
kubeConfig.loadFromDefault();
const leases = kubeConfig.makeApiClient(CoordinationV1Api);

/** The lease as last seen, and when by our own clock it last changed. */
let observed: { lease: V1Lease; changedAt: number } | undefined;
let leading = false;
let renewedAt = 0;

function say(message: string): void {
  console.log(`${new Date().toISOString()} ${me}: ${message}`);
}

function leadership(now: boolean): void {
  if (now !== leading) say(now ? 'I lead' : 'I no longer lead');
  leading = now;
}

function observe(lease: V1Lease): void {
  const changed = observed?.lease.metadata?.resourceVersion !== lease.metadata?.resourceVersion;
  if (observed === undefined || changed) observed = { lease, changedAt: performance.now() };
}

/** True when this candidate holds the lease after the call. */
async function tryAcquireOrRenew(): Promise<boolean> {
  const startedAt = performance.now();
  const now = new V1MicroTime();
  const lease = await leases.readNamespacedLease({ name: leaseName, namespace }).catch((error: unknown) => {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw error;
  });
  if (lease === undefined) {
    const spec = {
      holderIdentity: me,
      leaseDurationSeconds: leaseSeconds,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: 0,
    };
    const body: V1Lease = { metadata: { name: leaseName, namespace }, spec };
    observe(await leases.createNamespacedLease({ namespace, body }));
    renewedAt = startedAt;
    return true;
  }
  observe(lease);
  const holder = lease.spec?.holderIdentity ?? '';
  const validMs = (lease.spec?.leaseDurationSeconds ?? leaseSeconds) * 1000;
  const expired = performance.now() - (observed?.changedAt ?? 0) > validMs;
  if (holder !== '' && holder !== me && !expired) return false;
  const taken = holder !== me;
  const body: V1Lease = {
    ...lease,
    spec: {
      ...lease.spec,
      holderIdentity: me,
      leaseDurationSeconds: leaseSeconds,
      renewTime: now,
      ...(taken ? { acquireTime: now, leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1 } : {}),
    },
  };
  observe(await leases.replaceNamespacedLease({ name: leaseName, namespace, body }));
  renewedAt = startedAt;
  return true;
}

/** Gives the lease up, so that the next leader need not wait for it to run out. */
async function release(): Promise<void> {
  if (!leading) return;
  leadership(false);
  const lease = await leases.readNamespacedLease({ name: leaseName, namespace });
  if (lease.spec?.holderIdentity !== me) return;
  const body: V1Lease = { ...lease, spec: { ...lease.spec, holderIdentity: '' } };
  await leases.replaceNamespacedLease({ name: leaseName, namespace, body });
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void release()
      .catch(() => undefined)
      .finally(() => process.exit(0));
  });
}

// On a timer of its own, since a request to a server that hangs may outlast the lease.
setInterval(() => {
  if (leading && performance.now() - renewedAt > renewDeadlineMs) leadership(false);
}, 100);

say(`candidate for ${namespace}/${leaseName}, ${leaseSeconds} s`);
for (;;) {
  try {
    const holding = await tryAcquireOrRenew();
    leadership(holding && performance.now() - renewedAt < renewDeadlineMs);
  } catch (error) {
    // Somebody else wrote in between (409), or the server is away: whoever leads may go on until the deadline.
    if (!(error instanceof ApiException && error.code === 409)) {
      say(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
    }
  }
  await sleep(retryMs);
}
