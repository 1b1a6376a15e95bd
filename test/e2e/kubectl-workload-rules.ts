/** What the API does by itself for jobs, sets and replication controllers, and what it refuses, seen through kubectl. */
import { join } from 'node:path';
import { repository } from '../tools/wherry.js';
import type { Stories, Story } from './client-stories.js';

const manifest = (kind: string) => join(repository, 'test', 'fixtures', 'manifests', `${kind}-good.yaml`);

const jobs: Story = async (user) => {
  await user.prints('create job one --image=work:1 -- sleep 1', 'job.batch/one created');
  await user.prints(
    'get job one -o yaml',
    `
      apiVersion: batch/v1
      kind: Job
      metadata:
        creationTimestamp: "«time»"
        generation: 1
        labels:
          batch.kubernetes.io/controller-uid: «uid»
          batch.kubernetes.io/job-name: one
          controller-uid: «uid»
          job-name: one
        name: one
        namespace: job-rules
        resourceVersion: "«number»"
        uid: «uid»
      spec:
        backoffLimit: 6
        completionMode: NonIndexed
        completions: 1
        manualSelector: false
        parallelism: 1
        podReplacementPolicy: TerminatingOrFailed
        selector:
          matchLabels:
            batch.kubernetes.io/controller-uid: «uid»
        suspend: false
        template:
          metadata:
            labels:
              batch.kubernetes.io/controller-uid: «uid»
              batch.kubernetes.io/job-name: one
              controller-uid: «uid»
              job-name: one
          spec:
            containers:
            - command:
              - sleep
              - "1"
              image: work:1
              imagePullPolicy: IfNotPresent
              name: one
              resources: {}
              terminationMessagePath: /dev/termination-log
              terminationMessagePolicy: File
            dnsPolicy: ClusterFirst
            restartPolicy: Never
            schedulerName: default-scheduler
            securityContext: {}
            terminationGracePeriodSeconds: 30
      status: {}
    `,
  );
  const refused = await user.run('patch job one -p \'{"spec":{"completions":2}}\'');
  user.includes(
    refused.stderr,
    'The Job "one" is invalid: spec.completions: Invalid value: 2: field is immutable',
    'of a job that is not indexed',
  );
  await user.prints('get jobs --field-selector=status.successful=0 -o name', 'job.batch/one');
  await user.prints('get jobs --field-selector=status.successful=1 -o name', '');
  await user.fails(
    'get jobs --field-selector=status.active=1',
    'Error from server (BadRequest): Unable to find "batch/v1, Resource=jobs" that match label selector "", field selector "status.active=1": field label "status.active" not supported for batchv1.Job',
  );
  await user.prints(`create -f ${manifest('job')}`, 'job.batch/shards created');
  const { stdout } = await user.run('describe job shards');
  for (const line of [
    'Completion Mode:    Indexed',
    'Completed Indexes:  <none>',
    'Backoff Limit:      2147483647',
  ]) {
    user.includes(stdout, `\n${line}\n`, 'describe job');
  }
};

const cronJobs: Story = async (user) => {
  await user.prints(
    "create cronjob report --image=report:1 --schedule='0 */2 * * *' -- date",
    'cronjob.batch/report created',
  );
  await user.fails(
    "create cronjob never --image=report:1 --schedule='60 * * * *'",
    'error: failed to create cronjob: CronJob.batch "never" is invalid: spec.schedule: Invalid value: "60 * * * *": end of range (60) above maximum (59): 60',
  );
  await user.fails(
    "create cronjob zoned --image=report:1 --schedule='TZ=UTC 0 * * * *'",
    'error: failed to create cronjob: CronJob.batch "zoned" is invalid: spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
  );
  await user.prints(
    `patch cronjob report -p '{"spec":{"suspend":true,"timeZone":"Asia/Tokyo"}}'`,
    'cronjob.batch/report patched',
  );
  await user.fails(
    `patch cronjob report -p '{"spec":{"timeZone":"Mars/Base"}}'`,
    'The CronJob "report" is invalid: spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base',
  );
  await user.prints('set image cronjob/report report=report:2', 'cronjob.batch/report image updated');
  await user.prints(
    "get cronjob report -o jsonpath='{.metadata.generation} {.spec.jobTemplate.spec.template.spec.containers[0].image}'",
    '3 report:2',
  );
};

const sets: Story = async (user) => {
  await user.prints(
    `create -f ${manifest('statefulset')} -f ${manifest('daemonset')}`,
    'statefulset.apps/db created\ndaemonset.apps/agent created',
  );
  await user.prints(
    'get statefulsets,daemonsets -o wide',
    `
      NAME                  READY   AGE   CONTAINERS   IMAGES
      statefulset.apps/db   0/3     «age»   db           db:1

      NAME                   DESIRED   CURRENT   READY   UP-TO-DATE   AVAILABLE   NODE SELECTOR            AGE   CONTAINERS   IMAGES    SELECTOR
      daemonset.apps/agent   0         0         0       0            0           kubernetes.io/os=linux   «age»   agent        agent:1   app=agent
    `,
  );
  await user.prints('scale statefulset db --replicas=5 --current-replicas=3', 'statefulset.apps/db scaled');
  await user.fails(
    'scale statefulset db --replicas=1 --current-replicas=3',
    'error: Expected replicas to be 3, was 5',
  );
  await user.prints(
    'get statefulset db --subresource=scale',
    `
      NAME   DESIRED   AVAILABLE   AGE
      db     5         0           «age»
    `,
  );
  await user.fails(
    `patch statefulset db -p '{"spec":{"serviceName":"other"}}'`,
    `The StatefulSet "db" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden`,
  );
  await user.prints('set image daemonset/agent agent=agent:2', 'daemonset.apps/agent image updated');
  await user.prints(
    "get daemonset agent -o jsonpath='{.metadata.generation} {.metadata.annotations}'",
    '2 {"deprecated.daemonset.template.generation":"5"}',
  );
};

const replicationControllers: Story = async (user) => {
  await user.prints(
    `create -f ${manifest('replicationcontroller')} -f ${manifest('podtemplate')}`,
    'replicationcontroller/old.style created\npodtemplate/base created',
    {
      stderr:
        'Warning: metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
    },
  );
  await user.prints(
    'get replicationcontrollers,podtemplates -o wide',
    `
      NAME                              DESIRED   CURRENT   READY   AGE   CONTAINERS   IMAGES   SELECTOR
      replicationcontroller/old.style   1         0         0       «age»   app          app:1    app=old

      NAME               CONTAINERS   IMAGES   POD LABELS
      podtemplate/base   app          app:1    app=base
    `,
  );
  await user.prints('scale rc old.style --replicas=4', 'replicationcontroller/old.style scaled');
  await user.prints('get rc --field-selector=status.replicas=0 -o name', 'replicationcontroller/old.style');
  await user.prints('expose rc old.style --port=80 --name=old', 'service/old exposed');
  await user.prints('delete rc old.style', `replicationcontroller "old.style" ${user.deleted}`);
};

const fields: Story = async (user) => {
  for (const [field, says] of [
    [
      'statefulset.spec.volumeClaimTemplates.spec',
      /^GROUP: +apps\nKIND: +StatefulSet\nVERSION: +v1\n[^]*\n {2}storageClassName\t<string>\n/,
    ],
    ['cronjob.spec', /\n {2}schedule\t<string> -required-\n/],
    ['job.spec.podFailurePolicy.rules', /\n {2}action\t<string> -required-\n[^]*\n {2}onExitCodes\t</],
    ['daemonset.spec.updateStrategy.rollingUpdate', /\n {2}maxSurge\t<IntOrString>\n/],
    ['controllerrevision', /\n {2}revision\t<integer> -required-\n/],
    ['replicationcontroller.status', /\n {2}replicas\t<integer> -required-\n/],
    ['podtemplate.template', /\n {2}spec\t<PodSpec>\n/],
  ] as const) {
    user.matches((await user.run(`explain ${field}`)).stdout, says, `explain ${field}`);
  }
};

export const WORKLOAD_RULES: Stories = {
  'job-rules': jobs,
  'cron-job-rules': cronJobs,
  'set-rules': sets,
  'controller-rules': replicationControllers,
  'workload-fields': fields,
};
