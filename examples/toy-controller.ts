/**
 * A controller in one file: for each Deployment it keeps as many Pods as the spec asks for, plays the kubelet that
 * runs them, and reports in the Deployment's status. It knows only the API server, through the official client.
 *
 *   KUBECONFIG=wherry-data/kubeconfig node dist/examples/toy-controller.js
 *
 * Two informers feed one queue of Deployment keys; one key at a time is reconciled from what the informers hold. That
 * is the whole idea of a controller: events say only that something changed, never what to do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  type Informer,
  KubeConfig,
  type KubernetesObject,
  type ObjectCache,
  type V1Deployment,
  type V1Pod,
  makeInformer,
} from '@kubernetes/client-node';

const retryDelayMs = 500;

const kubeConfig = new KubeConfig();
kubeConfig.loadFromDefault();
const core = kubeConfig.makeApiClient(CoreV1Api);
const apps = kubeConfig.makeApiClient(AppsV1Api);

const deployments = makeInformer<V1Deployment>(kubeConfig, '/apis/apps/v1/deployments', () =>
  apps.listDeploymentForAllNamespaces(),
);
const pods = makeInformer<V1Pod>(kubeConfig, '/api/v1/pods', () => core.listPodForAllNamespaces());

/** Keys (`namespace/name`) of Deployments to look at; a key that waits is there once. */
const queue = new Set<string>();
let wake: () => void = () => undefined;

function enqueue(key: string | undefined): void {
  if (key === undefined) return;
  queue.add(key);
  wake();
}

const keyOf = (object: KubernetesObject) => `${object.metadata?.namespace}/${object.metadata?.name}`;

/** The key of the Deployment that a Pod belongs to. */
function ownerKey(pod: V1Pod): string | undefined {
  const owner = pod.metadata?.ownerReferences?.find((reference) => reference.controller === true);
  return owner?.kind === 'Deployment' ? `${pod.metadata?.namespace}/${owner.name}` : undefined;
}

/** A watch that ends is normal: start it again, and it goes on from the list it makes. */
async function follow<T extends KubernetesObject>(
  informer: Informer<T> & ObjectCache<T>,
  changed: (object: T) => void,
): Promise<void> {
  for (const verb of ['add', 'update', 'delete'] as const) informer.on(verb, changed);
  informer.on('error', (error: unknown) => {
    console.log(`watch ended (${error instanceof Error ? error.message : String(error)}), starting it again`);
    setTimeout(() => void start(), retryDelayMs);
  });
  const start = async (): Promise<void> => {
    for (;;) {
      try {
        return await informer.start();
      } catch (error) {
        console.log(`cannot list: ${error instanceof Error ? error.message : String(error)}`);
        await sleep(retryDelayMs);
      }
    }
  };
  await start();
}

async function reconcile(key: string): Promise<void> {
  const [namespace = '', name = ''] = key.split('/');
  const deployment = deployments.get(name, namespace);
  const mine = pods.list(namespace).filter((pod) => ownerKey(pod) === key);
  if (deployment === undefined || deployment.metadata?.deletionTimestamp !== undefined) {
    for (const pod of mine) await remove(pod);
    return;
  }
  const wanted = deployment.spec?.replicas ?? 1;
  const image = deployment.spec?.template.spec?.containers[0]?.image;
  const [fresh, stale] = partition(mine, (pod) => pod.spec?.containers[0]?.image === image);
  for (const pod of [...stale, ...fresh.slice(wanted)]) await remove(pod);
  for (let i = fresh.length; i < wanted; i++) await createPod(deployment);
  for (const pod of fresh.slice(0, wanted)) if (pod.status?.phase !== 'Running') await runPod(pod);
  const ready = fresh.slice(0, wanted).filter((pod) => pod.status?.phase === 'Running').length;
  await report(deployment, fresh.length, ready);
}

function partition<T>(items: T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}

async function createPod(deployment: V1Deployment): Promise<void> {
  const { name = '', namespace = '', uid = '' } = deployment.metadata ?? {};
  const { metadata, spec } = deployment.spec?.template ?? {};
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name, uid, controller: true };
  const pod: V1Pod = {
    metadata: { ...metadata, generateName: `${name}-`, ownerReferences: [owner] },
    ...(spec === undefined ? {} : { spec }),
  };
  const created = await core.createNamespacedPod({ namespace, body: pod });
  console.log(`${namespace}/${name}: created pod ${created.metadata?.name}`);
}

async function remove(pod: V1Pod): Promise<void> {
  const { name = '', namespace = '' } = pod.metadata ?? {};
  await core.deleteNamespacedPod({ name, namespace }).catch(ignore(404));
  console.log(`${namespace}: removed pod ${name}`);
}

/** What a kubelet would report a moment after it started the containers. */
async function runPod(pod: V1Pod): Promise<void> {
  const { name = '', namespace = '' } = pod.metadata ?? {};
  const now = new Date();
  const body: V1Pod = {
    ...pod,
    status: {
      ...pod.status,
      phase: 'Running',
      startTime: now,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }],
      containerStatuses: (pod.spec?.containers ?? []).map((container) => ({
        name: container.name,
        image: container.image ?? '',
        imageID: '',
        ready: true,
        restartCount: 0,
        state: { running: { startedAt: now } },
      })),
    },
  };
  await core.replaceNamespacedPodStatus({ name, namespace, body }).catch(ignore(404, 409));
}

async function report(deployment: V1Deployment, replicas: number, ready: number): Promise<void> {
  const { name = '', namespace = '', generation } = deployment.metadata ?? {};
  const wanted = deployment.spec?.replicas ?? 1;
  const available = ready >= wanted ? 'True' : 'False';
  const before = deployment.status?.conditions?.find((condition) => condition.type === 'Available');
  const inStep =
    deployment.status?.observedGeneration === generation &&
    (deployment.status?.replicas ?? 0) === replicas &&
    (deployment.status?.readyReplicas ?? 0) === ready &&
    before?.status === available;
  if (inStep) return;
  const now = new Date();
  const body: V1Deployment = {
    ...deployment,
    status: {
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      replicas,
      updatedReplicas: replicas,
      readyReplicas: ready,
      availableReplicas: ready,
      conditions: [
        {
          type: 'Available',
          status: available,
          reason: available === 'True' ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
          message: `${ready} of ${wanted} pods run.`,
          lastTransitionTime: before?.status === available ? (before.lastTransitionTime ?? now) : now,
          lastUpdateTime: now,
        },
      ],
    },
  };
  await apps.replaceNamespacedDeploymentStatus({ name, namespace, body });
  console.log(`${namespace}/${name}: ${ready} of ${wanted} ready`);
}

/** Lets pass the answers that only say that somebody was faster. */
function ignore(...codes: number[]): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof ApiException && codes.includes(error.code))) throw error;
  };
}

async function work(): Promise<never> {
  for (;;) {
    const [key] = queue;
    if (key === undefined) {
      await new Promise<void>((resolve) => (wake = resolve));
      continue;
    }
    queue.delete(key);
    try {
      await reconcile(key);
    } catch (error) {
      // A conflict or a server that is away: the state will be looked at anew.
      if (!(error instanceof ApiException && error.code === 409)) {
        console.log(`${key}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
      }
      setTimeout(() => enqueue(key), retryDelayMs);
    }
  }
}

await follow(pods, (pod) => enqueue(ownerKey(pod)));
await follow(deployments, (deployment) => enqueue(keyOf(deployment)));
console.log('toy controller: watching deployments and pods');
await work();
