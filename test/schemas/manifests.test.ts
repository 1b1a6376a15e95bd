/**
 * Manifests as people write them, one good and one bad of each kind: what is stored of the good ones, and what
 * kube-apiserver 1.36 says of the others.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import type { ResourceDefinition } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import { repository } from '../tools/wherry.js';
import { create, messages } from './pipeline.js';

const folder = join(repository, 'test/fixtures/manifests');

interface Manifest extends Record<string, unknown> {
  readonly apiVersion: string;
  readonly kind: string;
}

function read(name: string): { definition: ResourceDefinition; body: Manifest } {
  const body = parse(readFileSync(join(folder, `${name}.yaml`), 'utf8')) as Manifest;
  const definition = builtinResources.find(
    ({ group, version, kind }) =>
      kind === body.kind && body.apiVersion === (group === '' ? version : `${group}/${version}`),
  );
  if (definition === undefined) throw new Error(`${name}: ${body.apiVersion} ${body.kind} is not served`);
  return { definition, body };
}

const SUBDOMAIN_LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const JOB_UID = '00000000-0000-4000-8000-000000000000';

/** What is refused of each `<name>-bad.yaml`, in upstream's order. */
const REFUSALS: Readonly<Record<string, readonly string[]>> = {
  statefulset: [
    'metadata.name: Invalid value: "db.example.com": must not contain dots',
    `spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":1,"MaxUnavailable":null}: only allowed for updateStrategy 'RollingUpdate'`,
    'spec.volumeClaimTemplates[0].spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
    'spec.volumeClaimTemplates[0].spec.resources[storage]: Required value',
    `spec.serviceName: Invalid value: "My_Service": ${SUBDOMAIN_LABEL}`,
    'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "logs"',
    'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported',
  ],
  daemonset: [
    'spec.template.metadata.labels: Invalid value: {"app":"agent","tier":"node"}: `selector` does not match template `labels`',
    'spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always"',
    'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
  ],
  controllerrevision: [
    'revision: Invalid value: -1: must be greater than or equal to 0',
    'data: Required value: data must be a valid JSON object',
  ],
  replicationcontroller: [
    'spec.minReadySeconds: Invalid value: -2: must be greater than or equal to 0',
    'spec.selector: Required value',
    'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    'spec.template: Required value',
  ],
  podtemplate: [
    `template.labels: Invalid value: "-app": ${QUALIFIED}`,
    `template.spec.containers[0].name: Invalid value: "App": ${SUBDOMAIN_LABEL}`,
  ],
  job: [
    `spec.template.metadata.labels[job-name]: Invalid value: {"batch.kubernetes.io/controller-uid":"${JOB_UID}","batch.kubernetes.io/job-name":"shards","controller-uid":"${JOB_UID}","job-name":"another"}: must be 'shards'`,
    'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
    'spec.managedBy: Invalid value: "queue": must be a domain-prefixed path (such as "acme.io/foo")',
    'spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode',
    'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
    'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "other": must be one of the container or initContainer names in the pod template',
    'spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator',
    'spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 3',
    'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,0,3]: must be ordered',
    'spec.podFailurePolicy.rules[0].onPodConditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
    'spec.podFailurePolicy.rules[0]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported',
    'spec.podFailurePolicy.rules[1].action: Unsupported value: "Retry": supported values: "Count", "FailIndex", "FailJob", "Ignore"',
    'spec.podFailurePolicy.rules[1]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
    'spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":"0,2-3","SucceededCount":null}]}: requires indexed completion mode',
    'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
    'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
  ],
  cronjob: [
    'spec.schedule: Invalid value: "TZ=Europe/Rome 60 * * * *": end of range (60) above maximum (59): 60',
    'spec.schedule: Invalid value: "TZ=Europe/Rome 60 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    'spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0',
    'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    'spec.concurrencyPolicy: Unsupported value: "Wait": supported values: "Allow", "Forbid", "Replace"',
    'spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"1","b":"2"}}: `selector` will be auto-generated',
    'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
    'metadata.name: Invalid value: "a-name-that-is-good-for-a-job-but-leaves-no-room-for-time": must be no more than 52 characters',
  ],
};

const jobLabels = {
  'batch.kubernetes.io/controller-uid': JOB_UID,
  'batch.kubernetes.io/job-name': 'shards',
  'controller-uid': JOB_UID,
  'job-name': 'shards',
};

/** What the server adds to each `<name>-good.yaml`, beside the defaults of pod specs. */
const ADDED: Readonly<Record<string, object>> = {
  statefulset: {
    spec: {
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Delete' },
      revisionHistoryLimit: 10,
      volumeClaimTemplates: [
        {
          kind: 'PersistentVolumeClaim',
          apiVersion: 'v1',
          spec: { volumeMode: 'Filesystem' },
          status: { phase: 'Pending' },
        },
      ],
    },
    status: { replicas: 0, availableReplicas: 0 },
  },
  daemonset: {
    metadata: { annotations: { 'deprecated.daemonset.template.generation': '4' } },
    spec: {
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 2 } },
      revisionHistoryLimit: 10,
    },
    status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
  },
  controllerrevision: { data: { spec: { template: { $patch: 'replace' } } }, revision: 7 },
  replicationcontroller: {
    metadata: { labels: { app: 'old' } },
    spec: { replicas: 1, selector: { app: 'old' } },
    status: { replicas: 0 },
  },
  podtemplate: { template: { spec: { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst' } } },
  job: {
    metadata: { labels: jobLabels },
    spec: {
      backoffLimit: 2 ** 31 - 1,
      manualSelector: false,
      suspend: false,
      podReplacementPolicy: 'Failed',
      podFailurePolicy: { rules: [{ onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] },
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': JOB_UID } },
      template: { metadata: { labels: jobLabels } },
    },
    status: {},
  },
  cronjob: {
    spec: {
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { metadata: {}, spec: { template: { spec: { restartPolicy: 'OnFailure' } } } },
    },
    status: {},
  },
};

t.test('every manifest has an expected answer', (t) => {
  const names = readdirSync(folder).map((file) => file.replace(/\.yaml$/, ''));
  const expected = Object.keys(REFUSALS).flatMap((name) => [`${name}-bad`, `${name}-good`]);
  t.same(names.sort(), expected.sort());
  t.same(Object.keys(ADDED).sort(), Object.keys(REFUSALS).sort());
  t.end();
});

for (const [name, added] of Object.entries(ADDED)) {
  t.test(`${name}: the good one is stored with its defaults`, (t) => {
    const { definition, body } = read(`${name}-good`);
    const outcome = create(definition, body);
    t.same(messages(outcome), []);
    t.match(outcome.object, body, 'what was written');
    t.match(outcome.object, added, 'and what was not');
    t.end();
  });
}

for (const [name, refusals] of Object.entries(REFUSALS)) {
  t.test(`${name}: the bad one is refused`, (t) => {
    const { definition, body } = read(`${name}-bad`);
    t.same(messages(create(definition, body)), refusals);
    t.end();
  });
}
