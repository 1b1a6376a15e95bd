/** Rules of Job and CronJob, as kube-apiserver 1.36 has them. */
import * as fc from 'fast-check';
import t from 'tap';
import { cronJobs } from '../../schemas/batch/v1/cron-job.js';
import { scheduleProblem } from '../../schemas/batch/v1/cron-schedule.js';
import { countIndexes, firstCommonIndex } from '../../schemas/batch/v1/job-indexes.js';
import { jobs } from '../../schemas/batch/v1/job.js';
import { locationProblem } from '../../schemas/batch/v1/time-zone.js';
import type { KubeObject } from '../../schemas/definition.js';
import { create, messages, type Outcome, update } from './pipeline.js';

type Fields = Record<string, unknown>;

const UID = '11111111-2222-4333-8444-555555555555';
const metadata = { name: 'x', uid: UID };
const pods = { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] };
const template = { spec: pods };

const made = (spec: Fields, meta: Fields = {}): Outcome =>
  create(jobs, { metadata: { ...metadata, ...meta }, spec: { template, ...spec } });

function stored(spec: Fields = {}): KubeObject {
  const { object, errors } = made(spec);
  if (object === undefined || errors.length > 0) throw new Error(JSON.stringify(errors));
  return object;
}

const refusals = (spec: Fields): string[] => messages(made(spec));

const specOf = (object: KubeObject | undefined): Fields => (object?.['spec'] ?? {}) as Fields;

/** A PUT that changes fields of the spec. */
const changed = (old: KubeObject, fields: Fields): string[] =>
  messages(update(jobs, old, { metadata: { name: 'x', uid: UID }, spec: { ...specOf(old), ...fields } }));

const own = {
  'batch.kubernetes.io/controller-uid': UID,
  'batch.kubernetes.io/job-name': 'x',
  'controller-uid': UID,
  'job-name': 'x',
};

t.test('Job: the pods are found by the uid, unless the author takes care of it', (t) => {
  const object = stored({ template: { metadata: { labels: { mine: '1' } }, spec: pods } });
  t.match(object, {
    metadata: { labels: { mine: '1' } },
    spec: {
      manualSelector: false,
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': UID } },
      template: { metadata: { labels: { mine: '1', ...own } } },
    },
  });
  t.same(stored().metadata.labels, own, 'without labels of its own a job has those of its pods');

  const manual = { manualSelector: true, selector: { matchLabels: { a: 'b' } } };
  const labeled = { metadata: { labels: { a: 'b' } }, spec: pods };
  const byHand = specOf(stored({ ...manual, template: labeled }));
  t.same(byHand['selector'], manual.selector);
  t.same((byHand['template'] as Fields)['metadata'], { labels: { a: 'b' } });
  t.same(refusals({ manualSelector: true }), [
    'spec.selector: Required value',
    'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`',
  ]);
  t.same(refusals({ selector: { matchLabels: { z: '1' } } }), [
    `spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"${UID}","z":"1"}}: \`selector\` not auto-generated`,
    `spec.template.metadata.labels: Invalid value: ${JSON.stringify(own)}: \`selector\` does not match template \`labels\``,
  ]);
  t.end();
});

t.test('Job: defaults depend on each other', (t) => {
  const defaults = (spec: Fields) => specOf(stored(spec));
  t.match(defaults({}), { parallelism: 1, completions: 1, backoffLimit: 6, completionMode: 'NonIndexed' });
  t.match(defaults({ completions: 3 }), { parallelism: 1, completions: 3 });
  const queue = defaults({ parallelism: 3 });
  t.equal(queue['parallelism'], 3);
  t.notOk('completions' in queue, 'a work queue has no number of completions');
  t.match(defaults({}), { podReplacementPolicy: 'TerminatingOrFailed' });
  const rules = [{ action: 'Ignore', onPodConditions: [{ type: 'A' }] }];
  t.match(defaults({ podFailurePolicy: { rules } }), {
    podReplacementPolicy: 'Failed',
    podFailurePolicy: { rules: [{ onPodConditions: [{ type: 'A', status: 'True' }] }] },
  });
  t.end();
});

t.test('Job: indexes are limited, since the status lists them', (t) => {
  const indexed = (spec: Fields) => refusals({ completionMode: 'Indexed', ...spec });
  t.same(indexed({ parallelism: 100_000, completions: 1 }), []);
  t.same(indexed({ parallelism: 100_001, completions: 1 }), [
    'spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed',
  ]);
  t.same(indexed({ parallelism: 1 }), ['spec.completions: Required value: when completion mode is Indexed']);
  const perIndex = { backoffLimitPerIndex: 1 };
  t.same(indexed({ ...perIndex, completions: 2, maxFailedIndexes: 3 }), [
    'spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions',
  ]);
  t.same(indexed({ ...perIndex, completions: 100_000, parallelism: 100_000, maxFailedIndexes: 100_000 }), []);
  t.same(indexed({ ...perIndex, completions: 100_001, parallelism: 10_001, maxFailedIndexes: 10_001 }), [
    'spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
    'spec.maxFailedIndexes: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
  ]);
  t.same(indexed({ ...perIndex, completions: 100_001 }), [
    'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
  ]);
  t.same(refusals({ backoffLimitPerIndex: 1 }), [
    'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
  ]);
  t.same(refusals({ completionMode: 'Odd' }), [
    'spec.completionMode: Unsupported value: "Odd": supported values: "NonIndexed", "Indexed"',
  ]);
  const name = 'a'.repeat(61);
  const long = made({ completionMode: 'Indexed', completions: 11 }, { name });
  t.match(messages(long), [
    `metadata.name: Invalid value: "${name}": will not able to create pod with invalid DNS label: ${name}-10`,
  ]);
  t.same(messages(made({ completionMode: 'Indexed', completions: 10 }, { name })), []);
  t.end();
});

t.test('Job: managedBy is a path below a domain', (t) => {
  const refused = (managedBy: string) => refusals({ managedBy });
  t.same(refused('kubernetes.io/job-controller'), []);
  t.same(refused(''), ['spec.managedBy: Required value']);
  for (const value of ['a', '/a', 'a/']) t.match(refused(value), [/must be a domain-prefixed path/], value);
  t.match(refused('A/b'), [/^spec\.managedBy: Invalid value: "A": a lowercase RFC 1123 subdomain/]);
  t.same(refused('a/b?'), [
    `spec.managedBy: Invalid value: "b?": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`,
  ]);
  t.same(refused(`a/${'b'.repeat(61)}`), []);
  t.same(refused(`a/${'b'.repeat(62)}`), ['spec.managedBy: Too long: may not be more than 63 bytes']);
  t.end();
});

t.test('Job: policies have limits', (t) => {
  const rule = { action: 'Count', onExitCodes: { operator: 'NotIn', values: [0] } };
  const failing = (rules: unknown[]) => refusals({ podFailurePolicy: { rules } });
  t.same(failing(Array.from({ length: 20 }, () => rule)), []);
  t.same(failing(Array.from({ length: 21 }, () => rule)), [
    'spec.podFailurePolicy.rules: Too many: 21: must have at most 20 items',
  ]);
  const codes = (count: number) => [
    { ...rule, onExitCodes: { operator: 'In', values: Array.from({ length: count }, (_, i) => i + 1) } },
  ];
  t.same(failing(codes(255)), []);
  t.same(failing(codes(256)), [
    'spec.podFailurePolicy.rules[0].onExitCodes.values: Too many: 256: must have at most 255 items',
  ]);
  t.same(failing([{ ...rule, onExitCodes: { operator: '' } }]), [
    'spec.podFailurePolicy.rules[0].onExitCodes.operator: Required value: valid values: ["In" "NotIn"]',
    'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: null: at least one value is required',
  ]);
  t.same(refusals({ podFailurePolicy: {} }), []);

  const succeeding = (rules: unknown[]) =>
    refusals({ completionMode: 'Indexed', completions: 5, successPolicy: { rules } });
  const field = 'spec.successPolicy.rules';
  t.same(succeeding([]), [
    `${field}: Required value: at least one rules must be specified when the successPolicy is specified`,
  ]);
  t.same(succeeding([{}]), [
    `${field}[0]: Required value: at least one of succeededCount or succeededIndexes must be specified`,
  ]);
  t.same(succeeding([{ succeededIndexes: '0-5' }]), [
    `${field}[0].succeededIndexes: Invalid value: "0-5": error parsing succeededIndexes: too large index: "5"`,
  ]);
  t.same(succeeding([{ succeededIndexes: '0,2', succeededCount: 3 }, { succeededCount: 6 }]), [
    `${field}[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)`,
    `${field}[1].succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions)`,
  ]);
  t.end();
});

t.test('lists of indexes are read, and what is wrong with one is told', (t) => {
  const cases: readonly (readonly [string, number | string])[] = [
    ['', 0],
    ['0', 1],
    ['1,3-5,7', 5],
    ['0-9', 10],
    ['2,1', 'non-increasing order, previous: 2, current: 1'],
    ['0-3,3', 'non-increasing order, previous: 3, current: 3'],
    ['3-3', 'non-increasing order, previous: 3, current: 3'],
    ['10', 'too large index: "10"'],
    [
      '1-2-3',
      `the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by '-'`,
    ],
    ['a', 'cannot convert string to integer for index: "a"'],
    ['1,', 'cannot convert string to integer for index: ""'],
  ];
  for (const [list, expected] of cases) t.equal(countIndexes(list, 10), expected, list);
  t.equal(firstCommonIndex('0-2,5', '3-4,6', 10), undefined);
  t.equal(firstCommonIndex('0-2,5-8', '3,7', 10), 7);
  t.equal(firstCommonIndex('x,5', '5', 10), 5, 'what cannot be read is passed over');
  t.end();
});

t.test('lists of indexes hold what they were made from', (t) => {
  const listOf = (indexes: readonly number[]): string => {
    const parts: string[] = [];
    for (let i = 0; i < indexes.length; ) {
      let j = i;
      while (indexes[j + 1] === (indexes[j] as number) + 1) j++;
      parts.push(i === j ? `${indexes[i]}` : `${indexes[i]}-${indexes[j]}`);
      i = j + 1;
    }
    return parts.join(',');
  };
  const some = fc
    .uniqueArray(fc.integer({ min: 0, max: 40 }))
    .map((indexes) => indexes.sort((a, b) => a - b));
  fc.assert(
    fc.property(some, some, (a, b) => {
      const common = a.find((index) => b.includes(index));
      const isEmpty = a.length === 0 || b.length === 0;
      return (
        countIndexes(listOf(a), 41) === a.length &&
        firstCommonIndex(listOf(a), listOf(b), 41) === (isEmpty ? undefined : common)
      );
    }),
  );
  t.end();
});

t.test('Job: what it is cannot change', (t) => {
  const old = stored({ completions: 3 });
  t.same(
    changed(old, {
      parallelism: 2,
      suspend: true,
      activeDeadlineSeconds: 9,
      ttlSecondsAfterFinished: 1,
      backoffLimit: 0,
    }),
    [],
  );
  t.same(changed(old, { completions: 4 }), ['spec.completions: Invalid value: 4: field is immutable']);
  t.same(changed(old, { managedBy: 'a/b' }), ['spec.managedBy: Invalid value: "a/b": field is immutable']);
  t.same(changed(old, { completionMode: 'Indexed' }), [
    'spec.completionMode: Invalid value: "Indexed": field is immutable',
  ]);
  const rules = [{ action: 'Count', onExitCodes: { operator: 'In', values: [1] } }];
  t.same(changed(old, { podFailurePolicy: { rules }, podReplacementPolicy: 'Failed' }), [
    'spec.podFailurePolicy: Invalid value: {"Rules":[{"Action":"Count","OnExitCodes":{"ContainerName":null,"Operator":"In","Values":[1]},"OnPodConditions":null}]}: field is immutable',
  ]);
  t.match(
    changed(old, { template: { ...(specOf(old)['template'] as object), spec: { ...pods, hostname: 'h' } } }),
    [
      /^spec\.template: Invalid value: \{"labels":\{.*\},"Spec":\{"Volumes":null,.*"Hostname":"h",.*\}\}: field is immutable$/,
    ],
  );
  const broken = changed(old, { parallelism: -1 });
  t.same(broken.length, 2, 'upstream looks at the spec twice');

  const indexed = stored({ completionMode: 'Indexed', completions: 3, parallelism: 3 });
  t.same(changed(indexed, { completions: 5, parallelism: 5 }), []);
  t.same(changed(indexed, { completions: 5 }), [
    'spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism',
  ]);
  t.end();
});

t.test('Job: while it is at rest, where its pods run and what they ask for may change', (t) => {
  const withPods = (object: KubeObject, spec: object, labels = {}) => {
    const { metadata: meta } = specOf(object)['template'] as { metadata: { labels: object } };
    return { template: { metadata: { labels: { ...meta.labels, ...labels } }, spec: { ...pods, ...spec } } };
  };
  const moved = {
    nodeSelector: { zone: 'a' },
    tolerations: [{ operator: 'Exists' }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }],
        },
      },
    },
    containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '4' } } }],
  };
  const running = stored();
  t.match(changed(running, withPods(running, moved)), [/^spec\.template: .*field is immutable$/]);

  const suspended = stored({ suspend: true });
  t.same(changed(suspended, withPods(suspended, moved, { more: '1' })), []);
  t.same(
    changed(suspended, { suspend: false, ...withPods(suspended, moved) }),
    [],
    'and start in the same write',
  );
  t.match(changed(suspended, withPods(suspended, { containers: [{ name: 'c', image: 'other' }] })), [
    /^spec\.template\.spec: Invalid value: \{"Volumes":null.*field is immutable$/,
  ]);

  const startTime = '2026-01-01T00:00:00Z';
  const conditions = [{ type: 'Suspended', status: 'True' }];
  const inState = (status: object) => ({ ...suspended, status });
  t.match(
    changed(inState({ startTime }), withPods(suspended, moved)),
    [/field is immutable$/],
    'has started',
  );
  t.same(changed(inState({ startTime, conditions }), withPods(suspended, moved)), [], 'has stopped');
  t.match(
    changed(inState({ active: 1 }), withPods(suspended, moved)),
    [/field is immutable$/],
    'still has pods',
  );
  t.end();
});

t.test('Job: a status is held to what clients rely on', (t) => {
  const start = '2026-01-01T00:00:00Z';
  const end = '2026-01-01T00:01:00Z';
  const is = (...types: string[]) => types.map((type) => ({ type, status: 'True' }));
  const write = (object: KubeObject, before: object, status: object): string[] => {
    const old = { ...object, status: before };
    return messages(update(jobs, old, { metadata: { name: 'x', uid: UID }, status }, 'status'));
  };
  const plain = stored();
  const done = { startTime: start, completionTime: end, conditions: is('SuccessCriteriaMet', 'Complete') };
  const conditions = 'status.conditions: Invalid value: ';
  const cases: readonly (readonly [string, object, object, readonly string[]])[] = [
    ['it starts', {}, { startTime: start, active: 1, ready: 1 }, []],
    ['it succeeds', { startTime: start }, done, []],
    [
      'it fails',
      { startTime: start },
      { startTime: start, failed: 1, conditions: is('FailureTarget', 'Failed') },
      [],
    ],
    [
      'both',
      { startTime: start },
      { ...done, conditions: is('SuccessCriteriaMet', 'Complete', 'Failed') },
      [
        `${conditions}cannot set Complete=True and Failed=true conditions`,
        `${conditions}cannot set Failed=True condition without the FailureTarget=true condition`,
        `${conditions}cannot set SuccessCriteriaMet=True and Failed=true conditions`,
      ],
    ],
    [
      'complete without anything else',
      {},
      { conditions: is('Complete') },
      [
        'status.completionTime: Required value: completionTime is required for Complete jobs',
        `${conditions}cannot set Complete=True condition without the SuccessCriteriaMet=true condition`,
        'status.startTime: Required value: startTime is required for finished job',
      ],
    ],
    [
      'an end without being complete',
      { startTime: start },
      { startTime: start, completionTime: end },
      [
        `status.completionTime: Invalid value: "${end}": cannot set completionTime when there is no Complete=True condition`,
      ],
    ],
    [
      'an end before the start',
      { startTime: end },
      { ...done, startTime: end, completionTime: start },
      [`status.completionTime: Invalid value: "${start}": must be equal to or after \`startTime\``],
    ],
    [
      'pods of a finished job',
      { startTime: start },
      { ...done, active: 1, terminating: 2, uncountedTerminatedPods: { succeeded: ['u'] } },
      [
        'status.active: Invalid value: 1: active>0 is invalid for finished job',
        'status.uncountedTerminatedPods: Invalid value: {"Succeeded":["u"],"Failed":null}: must be empty for finished job',
        'status.terminating: Invalid value: 2: terminating>0 is invalid for finished job',
      ],
    ],
    [
      'a job that was finished is not',
      done,
      { startTime: start },
      [
        `${conditions}cannot disable the terminal Complete=True condition`,
        `${conditions}cannot disable the SuccessCriteriaMet=True condition`,
      ],
    ],
    [
      'counters that fall',
      { failed: 2, succeeded: 2 },
      { failed: 1, succeeded: 1 },
      [
        'status.failed: Invalid value: 1: cannot decrease the failed counter',
        'status.succeeded: Invalid value: 1: cannot decrease the succeeded counter',
      ],
    ],
    [
      'more ready than active',
      {},
      { ready: 2, active: 1 },
      ['status.ready: Invalid value: 2: cannot set more ready pods than active'],
    ],
    ['what was wrong before stays as it is', { ready: 2, active: 1 }, { ready: 2, active: 1, failed: 1 }, []],
    [
      'a start time that moves',
      { startTime: start },
      { startTime: end },
      [`status.startTime: Invalid value: "${end}": field is immutable for unsuspended job once set`],
    ],
    [
      'and when the job is resumed',
      { startTime: start, conditions: is('Suspended') },
      { startTime: end, conditions: [{ type: 'Suspended', status: 'False' }] },
      [],
    ],
    [
      'the same pod in two lists',
      {},
      { uncountedTerminatedPods: { succeeded: ['a', ''], failed: ['a'] } },
      [
        'status.uncountedTerminatedPods.succeeded[1]: Invalid value: "": must not be empty',
        'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
      ],
    ],
    [
      'indexes of a job that has none',
      {},
      { completedIndexes: '0', failedIndexes: '' },
      [
        'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
        'status.failedIndexes: Invalid value: "": cannot set non-null failedIndexes when backoffLimitPerIndex is null',
      ],
    ],
  ];
  for (const [what, before, status, expected] of cases) t.same(write(plain, before, status), expected, what);

  const indexed = stored({
    completionMode: 'Indexed',
    completions: 4,
    parallelism: 4,
    backoffLimitPerIndex: 1,
  });
  t.same(write(indexed, {}, { completedIndexes: '0-2', failedIndexes: '1,9' }), [
    'status.failedIndexes: Invalid value: "1,9": error parsing failedIndexes: too large index: "9"',
    'status.failedIndexes: Invalid value: "1,9": failedIndexes and completedIndexes overlap at index: 1',
  ]);
  t.same(write(indexed, { succeeded: 4 }, { succeeded: 3 }), [], 'an indexed job may shrink');
  const nothing = stored({ suspend: true, completions: 0 });
  t.same(
    write(nothing, {}, { completionTime: end, conditions: is('SuccessCriteriaMet', 'Complete') }),
    [],
    'nothing to do is done without a start',
  );
  const policy = stored({
    completionMode: 'Indexed',
    completions: 1,
    successPolicy: { rules: [{ succeededCount: 1 }] },
  });
  t.same(write(policy, { conditions: is('Complete') }, { conditions: is('Complete'), failed: 1 }), [
    `${conditions}cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True`,
  ]);
  t.end();
});

t.test('Job: a status write keeps the spec, a main write the status', (t) => {
  const old = { ...stored(), status: { active: 1 } };
  const body = {
    metadata: { name: 'x', uid: UID },
    spec: { ...specOf(old), suspend: true },
    status: { active: 2 },
  };
  const main = update(jobs, old, body).object;
  t.match(main, { spec: { suspend: true }, status: { active: 1 } });
  t.match(update(jobs, old, body, 'status').object, { spec: { suspend: false }, status: { active: 2 } });
  t.equal(jobs.selectableFields['status.successful']?.({ ...old, status: { succeeded: 2 } }), '2');
  t.end();
});

t.test('Job: many indexes at a time are warned about', (t) => {
  const many = { completionMode: 'Indexed', completions: 100_001, parallelism: 10_001 };
  t.same(jobs.strategy.warnings?.(stored(many)), [
    'spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
  ]);
  t.same(jobs.strategy.warnings?.(stored({ ...many, parallelism: 10_000 })), []);
  t.end();
});

const cronJob = (spec: Fields, name = 'x') =>
  create(cronJobs, {
    metadata: { name },
    spec: { schedule: '@daily', jobTemplate: { spec: { template } }, ...spec },
  });

t.test('CronJob: names leave room for those of its jobs', (t) => {
  t.same(messages(cronJob({}, 'a'.repeat(52))), []);
  t.match(messages(cronJob({}, 'a'.repeat(53))), [/^metadata\.name: .* must be no more than 52 characters$/]);
  t.end();
});

t.test('CronJob: a time zone in the schedule is kept, and not given', (t) => {
  const { object } = cronJob({});
  if (object === undefined) throw new Error('not decoded');
  const inSchedule = (schedule: string) => ({ ...object, spec: { ...specOf(object), schedule } });
  const put = (old: KubeObject, fields: Fields) =>
    update(cronJobs, old, { metadata: { name: 'x' }, spec: { ...specOf(old), ...fields } });
  const zoned = inSchedule('CRON_TZ=UTC 0 0 * * *');
  t.same(messages(put(object, { schedule: 'CRON_TZ=UTC 0 0 * * *' })), [
    'spec.schedule: Invalid value: "CRON_TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
  ]);
  t.same(messages(put(zoned, { schedule: 'TZ=UTC 1 0 * * *' })), []);
  t.same(messages(put(zoned, { timeZone: 'UTC' })), [
    'spec.schedule: Invalid value: "CRON_TZ=UTC 0 0 * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule',
  ]);
  t.same(cronJobs.strategy.warnings?.(zoned, zoned), [
    'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
  ]);
  const unknown = { ...object, spec: { ...specOf(object), timeZone: 'Mars/Olympus' } };
  t.same(messages(put(unknown, { suspend: true })), [], 'an unknown zone stays');
  t.end();
});

t.test('CronJob: time zones are those of the IANA', (t) => {
  const refused = (timeZone: string) => messages(cronJob({ timeZone }));
  for (const zone of ['UTC', 'Europe/Rome', 'America/Argentina/Buenos_Aires', 'US/Pacific', 'Etc/GMT+5']) {
    t.same(refused(zone), [], zone);
  }
  const field = 'spec.timeZone: Invalid value: ';
  t.same(refused(''), [`${field}"": timeZone must be nil or non-empty string`]);
  for (const zone of [
    ' Europe/Rome',
    'Europe/InvalidRome',
    'Europe//Rome',
    '../Rome',
    'europe/rome',
    '+01',
  ]) {
    t.same(refused(zone), [`${field}${JSON.stringify(zone)}: unknown time zone ${zone}`], zone);
  }
  t.same(refused('LOCAL'), [
    `${field}"LOCAL": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones`,
    `${field}"LOCAL": unknown time zone LOCAL`,
  ]);
  t.equal(locationProblem('../x'), 'time: invalid location name');
  t.end();
});

t.test('schedules are read as robfig/cron reads them', (t) => {
  const good = [
    '* * * * *',
    '*/15 0-6 1,15 jan-mar MON-fri',
    '  0   0 ? * SUN ',
    '5/10 * * * *',
    ', * * * *',
    '*-5 * * * *',
    '+5 * * * *',
    '@yearly',
    '@annually',
    '@monthly',
    '@weekly',
    '@daily',
    '@midnight',
    '@hourly',
    '@every 1h30m',
    '@every 1.5s',
    '@every 0',
    'TZ=Europe/Rome 0 6 * * *',
    'CRON_TZ=UTC @daily',
  ];
  for (const schedule of good) t.equal(scheduleProblem(schedule), undefined, schedule);
  const bad: Readonly<Record<string, string>> = {
    '': 'empty spec string',
    '* * * *': 'expected exactly 5 fields, found 4: [* * * *]',
    '0 * * * * *': 'expected exactly 5 fields, found 6: [0 * * * * *]',
    '60 * * * *': 'end of range (60) above maximum (59): 60',
    '* 24 * * *': 'end of range (24) above maximum (23): 24',
    '* * 0 * *': 'beginning of range (0) below minimum (1): 0',
    '* * * 13 *': 'end of range (13) above maximum (12): 13',
    '* * * * 7': 'end of range (7) above maximum (6): 7',
    '5-1 * * * *': 'beginning of range (5) beyond end of range (1): 5-1',
    '*/0 * * * *': 'step of range should be a positive number: */0',
    '1-2-3 * * * *': 'too many hyphens: 1-2-3',
    '1/2/3 * * * *': 'too many slashes: 1/2/3',
    'x * * * *': 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax',
    '-5 * * * *': 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax',
    'jan * * * *': 'failed to parse int from jan: strconv.Atoi: parsing "jan": invalid syntax',
    '9999999999999999999 * * * *':
      'failed to parse int from 9999999999999999999: strconv.Atoi: parsing "9999999999999999999": value out of range',
    '@often': 'unrecognized descriptor: @often',
    '@Daily': 'unrecognized descriptor: @Daily',
    '@every x': 'failed to parse duration @every x: time: invalid duration "x"',
    '@every 5': 'failed to parse duration @every 5: time: missing unit in duration "5"',
    '@every 5d': 'failed to parse duration @every 5d: time: unknown unit "d" in duration "5d"',
    'TZ=Nowhere 0 0 * * *': 'provided bad location Nowhere: unknown time zone Nowhere',
  };
  for (const [schedule, problem] of Object.entries(bad)) {
    t.equal(scheduleProblem(schedule), problem, schedule);
  }
  t.end();
});

t.test('no schedule, however strange, makes the reading of it fail itself', (t) => {
  const parts = fc.constantFrom(
    '*',
    '?',
    '-',
    '/',
    ',',
    '@',
    'every ',
    'TZ=',
    ' ',
    '0',
    '59',
    '7',
    'jan',
    'h',
    '.',
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 30 }), (words) => {
      const problem = scheduleProblem(words.join(''));
      return problem === undefined || problem.length > 0;
    }),
  );
  t.end();
});
