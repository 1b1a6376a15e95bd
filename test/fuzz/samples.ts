/** Objects that the server takes, from which the fuzzer goes astray: the good manifests of test/fixtures, and these here. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { apiVersion } from './catalogue.js';
import { repository } from '../tools/wherry.js';
import type { Random } from './chance.js';

type Fields = Readonly<Record<string, unknown>>;

const container = { name: 'main', image: 'example.com/app:1' };
const podSpec = {
  containers: [
    {
      ...container,
      command: ['sh', '-c', 'sleep 1'],
      env: [
        { name: 'A', value: '1' },
        { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'C', valueFrom: { configMapKeyRef: { name: 'a', key: 'k', optional: true } } },
      ],
      ports: [{ name: 'http', containerPort: 80 }],
      resources: { limits: { cpu: '100m', memory: '64Mi' }, requests: { cpu: '50m' } },
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
      livenessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 5 },
      securityContext: { runAsUser: 1000, capabilities: { drop: ['ALL'] } },
    },
  ],
  volumes: [
    { name: 'data', emptyDir: { sizeLimit: '1Gi' } },
    { name: 'conf', configMap: { name: 'a', items: [{ key: 'k', path: 'k.txt', mode: 420 }] } },
  ],
  tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }],
  nodeSelector: { zone: 'a' },
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }],
      },
    },
  },
};
const template = { metadata: { labels: { app: 'web' } }, spec: podSpec };
const selector = { matchLabels: { app: 'web' } };
const event = {
  reason: 'Started',
  type: 'Normal',
  action: 'start',
  reportingController: 'example.com/fuzz',
  reportingInstance: 'one',
};

/** By kind, where there is no manifest; a kind that has neither begins with nothing but its metadata. */
const fields: Readonly<Record<string, (namespace: string) => Fields>> = {
  ConfigMap: () => ({ data: { k: 'v', 'k.txt': 'line\n' }, binaryData: { b: 'AAEC' } }),
  Secret: () => ({ data: { k: 'dGVzdA==' }, stringData: { s: 'text' }, type: 'Opaque' }),
  ServiceAccount: () => ({ secrets: [{ name: 'a' }], imagePullSecrets: [{ name: 'b' }] }),
  Namespace: () => ({}),
  Node: () => ({
    spec: { podCIDR: '10.1.0.0/24', taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] },
    status: {
      capacity: { cpu: '2', memory: '4Gi' },
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    },
  }),
  Pod: () => ({ spec: podSpec }),
  Service: () => ({
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  }),
  Deployment: () => ({
    spec: { replicas: 1, selector, template, strategy: { rollingUpdate: { maxSurge: '25%' } } },
  }),
  ReplicaSet: () => ({ spec: { replicas: 1, selector, template } }),
  Lease: () => ({
    spec: { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-01-02T03:04:05.000006Z' },
  }),
  Event: (namespace) => ({
    ...event,
    involvedObject: { kind: 'Pod', name: 'a', namespace },
    message: 'started',
    firstTimestamp: '2026-01-02T03:04:05Z',
    count: 1,
  }),
  'events.k8s.io/Event': (namespace) => ({
    ...event,
    regarding: { kind: 'Pod', name: 'a', namespace },
    note: 'started',
    eventTime: '2026-01-02T03:04:05.000006Z',
  }),
  Binding: () => ({ target: { kind: 'Node', name: 'node-a' } }),
  SelfSubjectAccessReview: () => ({ spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } }),
  SelfSubjectRulesReview: () => ({ spec: { namespace: 'default' } }),
};

const folder = join(repository, 'test/fixtures/manifests');

/** Members of the good manifests but for kind, apiVersion and metadata, by apiVersion and kind. */
const manifests = new Map<string, Fields[]>();
for (const file of readdirSync(folder).sort()) {
  if (!file.endsWith('-good.yaml')) continue;
  const {
    apiVersion,
    kind,
    metadata: _,
    ...members
  } = parseYaml(readFileSync(join(folder, file), 'utf8')) as Fields;
  const known = `${String(apiVersion)} ${String(kind)}`;
  manifests.set(known, [...(manifests.get(known) ?? []), members]);
}

const texts = new Map<string, string>();

/** A new object each time: whoever gets it changes it. */
export function sample(definition: ResourceDefinition, name: string, namespace: string): KubeObject {
  const { kind, group, namespaced } = definition;
  const placed = namespaced && namespace !== '';
  const written = manifests.get(`${apiVersion(definition)} ${kind}`);
  // Of a kind's manifests each name has one, so that objects are updated to what they nearly are.
  const which = name.length % (written?.length ?? 1);
  const known = `${group}/${definition.version}/${kind}/${which}/${namespace}`;
  let text = texts.get(known);
  if (text === undefined) {
    const members = written?.[which] ?? (fields[`${group}/${kind}`] ?? fields[kind])?.(namespace);
    text = JSON.stringify({
      kind,
      apiVersion: apiVersion(definition),
      metadata: { name: '', labels: { app: 'web' }, annotations: { note: 'x' } },
      ...members,
    });
    if (texts.size < TEXTS_MAX) texts.set(known, text);
  }
  const object = JSON.parse(text) as KubeObject;
  object.metadata.name = name;
  if (placed) object.metadata.namespace = namespace;
  return object;
}

/** Namespaces may be any text. */
const TEXTS_MAX = 2000;

/** Bodies of subresources in a kind of their own. */
const subresourceBodies: Readonly<Record<string, Fields>> = {
  scale: { kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 2 } },
  binding: { kind: 'Binding', apiVersion: 'v1', target: { kind: 'Node', name: 'node-a' } },
  eviction: { kind: 'Eviction', apiVersion: 'policy/v1', deleteOptions: { gracePeriodSeconds: 0 } },
  token: {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    spec: { expirationSeconds: 600, audiences: ['a'] },
  },
};

export function subresourceSample(
  definition: ResourceDefinition,
  subresource: string,
  name: string,
  namespace: string,
): KubeObject {
  const own = subresourceBodies[subresource];
  if (own === undefined) return sample(definition, name, namespace);
  return structuredClone({ metadata: { name, namespace }, ...own }) as unknown as KubeObject;
}

/** DeleteOptions of a body. */
export function deleteOptionsSample(random: Random): Fields {
  const chosen = random.pick<Fields>([
    {},
    { propagationPolicy: random.pick(['Foreground', 'Background', 'Orphan', 'Never']) },
    { gracePeriodSeconds: random.pick([0, 1, 30, -1]) },
    { preconditions: { uid: '00000000-0000-4000-8000-000000000000' } },
    { preconditions: { resourceVersion: '1' } },
    { dryRun: ['All'] },
    { orphanDependents: random.chance(0.5) },
    { ignoreStoreReadErrorWithClusterBreakingPotential: true },
  ]);
  return { kind: 'DeleteOptions', apiVersion: random.pick(['v1', 'apps/v1', 'meta.k8s.io/v1']), ...chosen };
}
