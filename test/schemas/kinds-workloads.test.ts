/** Rules of StatefulSet, DaemonSet, ControllerRevision, ReplicationController and PodTemplate, as kube-apiserver 1.36 has them. */
import t from 'tap';
import { controllerRevisions } from '../../schemas/apps/v1/controller-revision.js';
import { daemonSets } from '../../schemas/apps/v1/daemon-set.js';
import { statefulSets } from '../../schemas/apps/v1/stateful-set.js';
import { podTemplates } from '../../schemas/core/v1/pod-template-object.js';
import { replicationControllers } from '../../schemas/core/v1/replication-controller.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { create, messages, update } from './pipeline.js';

type Fields = Record<string, unknown>;

const pods = { containers: [{ name: 'c', image: 'i' }] };
const template = { metadata: { labels: { app: 'a' } }, spec: pods };
const selector = { matchLabels: { app: 'a' } };
const base = { selector, template };
const claim = {
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};

function stored(definition: ResourceDefinition, body: Fields): KubeObject {
  const outcome = create(definition, { metadata: { name: 'x' }, ...body });
  if (outcome.object === undefined || outcome.errors.length > 0) throw new Error(JSON.stringify(outcome));
  return outcome.object;
}

const refusals = (definition: ResourceDefinition, body: Fields): string[] =>
  messages(create(definition, { metadata: { name: 'x' }, ...body }));

const updateRefusals = (
  definition: ResourceDefinition,
  old: KubeObject,
  body: Fields,
  subresource?: string,
): string[] => messages(update(definition, old, { metadata: { name: 'x' }, ...body }, subresource));

const specOf = (object: KubeObject | undefined): Fields => (object?.['spec'] ?? {}) as Fields;

t.test('StatefulSet: who names the update strategy and no pace gets none', (t) => {
  const strategyOf = (updateStrategy?: object) =>
    specOf(stored(statefulSets, { spec: { ...base, ...(updateStrategy && { updateStrategy }) } }))[
      'updateStrategy'
    ];
  t.same(strategyOf(), { type: 'RollingUpdate', rollingUpdate: { partition: 0 } });
  t.same(strategyOf({ type: 'RollingUpdate' }), { type: 'RollingUpdate' });
  t.same(strategyOf({ rollingUpdate: { partition: 2 } }), {
    type: 'RollingUpdate',
    rollingUpdate: { partition: 2 },
  });
  t.same(strategyOf({ type: 'OnDelete' }), { type: 'OnDelete' });
  t.end();
});

t.test('StatefulSet: maxUnavailable cannot be set, but whoever has it keeps it', (t) => {
  const spec = { ...base, updateStrategy: { rollingUpdate: { maxUnavailable: 2 } } };
  const object = stored(statefulSets, { spec });
  const none = { type: 'RollingUpdate', rollingUpdate: { partition: 0 } };
  t.same(specOf(object)['updateStrategy'], none);
  const again = update(statefulSets, object, { metadata: { name: 'x' }, spec });
  t.same(specOf(again.object)['updateStrategy'], none);

  const holder = {
    ...object,
    spec: {
      ...specOf(object),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
    },
  };
  const kept = update(statefulSets, holder, { metadata: { name: 'x' }, spec });
  t.match(specOf(kept.object)['updateStrategy'], { rollingUpdate: { maxUnavailable: 2 } });
  const wrong = (maxUnavailable: unknown) =>
    updateRefusals(statefulSets, holder, {
      spec: { ...base, updateStrategy: { rollingUpdate: { maxUnavailable } } },
    });
  const field = 'spec.updateStrategy.rollingUpdate.maxUnavailable';
  t.same(wrong(0), [`${field}: Invalid value: 0: cannot be 0`]);
  t.same(wrong('101%'), [`${field}: Invalid value: "101%": must not be greater than 100%`]);
  t.same(wrong('100%'), []);
  t.end();
});

t.test('StatefulSet: policies have their values', (t) => {
  const refused = (fields: Fields) => refusals(statefulSets, { spec: { ...base, ...fields } });
  t.same(refused({ podManagementPolicy: 'Odd' }), [
    `spec.podManagementPolicy: Invalid value: "Odd": must be 'OrderedReady' or 'Parallel'`,
  ]);
  t.same(refused({ updateStrategy: { type: 'Odd', rollingUpdate: { partition: 1 } } }), [
    `spec.updateStrategy: Invalid value: {"Type":"Odd","RollingUpdate":{"Partition":1,"MaxUnavailable":null}}: must be 'RollingUpdate' or 'OnDelete'`,
  ]);
  t.same(refused({ updateStrategy: { rollingUpdate: { partition: -1 } } }), [
    'spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0',
  ]);
  t.same(refused({ persistentVolumeClaimRetentionPolicy: { whenScaled: 'Keep' } }), [
    'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": supported values: "Retain", "Delete"',
  ]);
  t.same(refused({ replicas: -1, minReadySeconds: -2, ordinals: { start: -3 } }), [
    'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    'spec.minReadySeconds: Invalid value: -2: must be greater than or equal to 0',
    'spec.ordinals.start: Invalid value: -3: must be greater than or equal to 0',
  ]);
  t.end();
});

t.test('StatefulSet: the selector finds the pods of the template', (t) => {
  const refused = (fields: Fields) => refusals(statefulSets, { spec: { template, ...fields } });
  const labels =
    'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`';
  t.same(refused({}), ['spec.selector: Required value', labels]);
  t.same(refused({ selector: {} }), [
    'spec.selector: Invalid value: {}: empty selector is invalid for statefulset',
  ]);
  t.same(refused({ selector: { matchLabels: { app: 'b' } } }), [labels]);
  const [, second] = refused({ selector: { matchLabels: { b: 'b c', a: 'a' } } });
  t.equal(second, 'spec.selector: Invalid value: {"matchLabels":{"a":"a","b":"b c"}}', 'without a reason');
  t.end();
});

t.test('StatefulSet: claims are volumes of the pods, before those of the template', (t) => {
  const withMount = (volumes: object[], volumeClaimTemplates: object[]) => {
    const containers = [{ name: 'c', image: 'i', volumeMounts: [{ name: 'data', mountPath: '/d' }] }];
    const spec = { containers, volumes };
    return refusals(statefulSets, {
      spec: { selector, template: { metadata: template.metadata, spec }, volumeClaimTemplates },
    });
  };
  t.same(withMount([], [claim]), []);
  t.same(withMount([{ name: 'data', emptyDir: {} }], [claim]), [], 'the claim takes its place');
  t.same(withMount([], [claim, claim]), [], 'one volume of each name');
  t.same(withMount([{ name: 'other', emptyDir: {} }], []), [
    'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"',
  ]);
  t.end();
});

t.test('StatefulSet: claims are checked like claims', (t) => {
  const refused = (spec: object) =>
    refusals(statefulSets, { spec: { ...base, volumeClaimTemplates: [{ metadata: { name: 'd' }, spec }] } });
  const field = 'spec.volumeClaimTemplates[0].spec';
  const good = claim.spec;
  t.same(refused({}), [
    `${field}.accessModes: Required value: at least 1 access mode is required`,
    `${field}.resources[storage]: Required value`,
  ]);
  t.same(refused({ ...good, resources: { requests: { storage: '0' } } }), [
    `${field}.resources[storage]: Invalid value: "0": must be greater than zero`,
  ]);
  t.same(refused({ ...good, dataSource: { kind: 'VolumeSnapshot', name: 's' } }), [
    `${field}.dataSource: Invalid value: "VolumeSnapshot": must be 'PersistentVolumeClaim' when referencing the default apiGroup`,
  ]);
  const snapshot = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' };
  t.same(refused({ ...good, dataSource: snapshot, dataSourceRef: snapshot }), []);
  t.same(refused({ ...good, dataSource: snapshot, dataSourceRef: { ...snapshot, name: 'other' } }), [
    `${field}: Invalid value: {}: must match dataSourceRef`,
  ]);
  t.same(refused({ ...good, dataSource: snapshot, dataSourceRef: { ...snapshot, namespace: 'n' } }), [
    `${field}: Invalid value: {}: may not be specified when dataSourceRef.namespace is specified`,
  ]);
  t.match(refused({ ...good, volumeAttributesClassName: 'A' }), [
    /volumeAttributesClassName: Invalid value: "A"/,
  ]);
  t.end();
});

t.test('StatefulSet: only some of the spec may change', (t) => {
  const old = stored(statefulSets, { spec: { ...base, serviceName: 's', volumeClaimTemplates: [claim] } });
  const changed = (fields: Fields) =>
    updateRefusals(statefulSets, old, { spec: { ...specOf(old), ...fields } });
  const image = { metadata: template.metadata, spec: { containers: [{ name: 'c', image: 'other' }] } };
  const allowed = {
    replicas: 5,
    template: image,
    updateStrategy: { type: 'OnDelete' },
    revisionHistoryLimit: 1,
    minReadySeconds: 3,
    ordinals: { start: 2 },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
  };
  t.same(changed(allowed), []);
  const problem = [
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ];
  t.same(changed({ serviceName: 'other' }), problem);
  t.same(changed({ podManagementPolicy: 'Parallel' }), problem);
  t.same(changed({ volumeClaimTemplates: [] }), problem);
  t.same(
    changed({ volumeClaimTemplates: [{ ...claim, spec: {} }] }),
    problem,
    'and not what is wrong with it',
  );
  t.end();
});

t.test('StatefulSet: what was accepted once does not keep the rest from changing', (t) => {
  const good = stored(statefulSets, { spec: { ...base, volumeClaimTemplates: [claim] } });
  const old = {
    ...good,
    spec: {
      ...specOf(good),
      serviceName: 'Not_A_Label',
      template: { metadata: template.metadata, spec: { ...pods, containers: [{ name: 'A', image: 'i' }] } },
    },
  };
  t.same(updateRefusals(statefulSets, old, { spec: { ...old.spec, replicas: 3 } }), []);
  const worse = updateRefusals(statefulSets, good, {
    spec: { ...specOf(good), template: old.spec.template },
  });
  t.match(worse, [/^spec\.template\.spec\.containers\[0\]\.name: Invalid value: "A"/]);
  t.end();
});

t.test('StatefulSet: reported counts fit together', (t) => {
  const created = stored(statefulSets, { spec: base });
  const old: KubeObject = { ...created, status: { replicas: 1, collisionCount: 2 } };
  const refused = (status: Fields) => updateRefusals(statefulSets, old, { spec: base, status }, 'status');
  t.same(refused({ replicas: 1, collisionCount: 2, readyReplicas: 1, availableReplicas: 1 }), []);
  t.same(refused({ replicas: 1, currentReplicas: 2, updatedReplicas: 3, availableReplicas: 1 }), [
    'status.currentReplicas: Invalid value: 2: cannot be greater than status.replicas',
    'status.updatedReplicas: Invalid value: 3: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 1: cannot be greater than status.readyReplicas',
    'status.collisionCount: Invalid value: 0: cannot be decremented',
  ]);
  const written = update(
    statefulSets,
    old,
    { metadata: { name: 'x' }, spec: {}, status: { replicas: 1 } },
    'status',
  );
  t.same(written.object?.['spec'], old['spec']);
  t.same(written.object?.['status'], { replicas: 1, availableReplicas: 0 }, 'Go always prints both');
  t.end();
});

t.test('StatefulSet: warnings', (t) => {
  const spec = {
    ...base,
    revisionHistoryLimit: -1,
    volumeClaimTemplates: [
      { ...claim, spec: { ...claim.spec, resources: { requests: { storage: '1500m' } } } },
    ],
  };
  const object = stored(statefulSets, { spec });
  const history =
    'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended';
  const bytes = (path: string) =>
    `${path}.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer`;
  t.same(statefulSets.strategy.warnings?.(object), [bytes('spec.volumeClaimTemplates[0]'), history]);
  t.same(statefulSets.strategy.warnings?.(object, object), [
    bytes('spec.volumeClaimTemplates[0].Spec'),
    history,
  ]);
  t.end();
});

const GENERATION = 'deprecated.daemonset.template.generation';
const generationOf = (object: KubeObject | undefined) => object?.metadata.annotations?.[GENERATION];

t.test('DaemonSet: the annotation counts changes of the template, and clients do not', (t) => {
  const made = (annotations?: object) =>
    create(daemonSets, { metadata: { name: 'x', ...(annotations && { annotations }) }, spec: base });
  t.equal(generationOf(made().object), '1');
  t.equal(generationOf(made({ [GENERATION]: '-3' }).object), '1');
  t.equal(generationOf(made({ [GENERATION]: '7' }).object), '7');
  t.same(messages(made({ [GENERATION]: 'many' })), [
    `metadata.annotations[${GENERATION}]: Invalid value: "many": must be an integer`,
  ]);

  const old = stored(daemonSets, { spec: base });
  const put = (metadata: object, spec: Fields, subresource?: string) =>
    update(daemonSets, old, { metadata: { name: 'x', ...metadata }, spec }, subresource).object;
  t.same(put({ annotations: { [GENERATION]: '9', a: 'b' } }, base)?.metadata.annotations, {
    a: 'b',
    [GENERATION]: '1',
  });
  t.equal(generationOf(put({}, { ...base, minReadySeconds: 3 })), '1');
  const other = { metadata: template.metadata, spec: { containers: [{ name: 'c', image: 'other' }] } };
  t.equal(generationOf(put({}, { selector, template: other })), '2');
  t.equal(
    generationOf(put({}, { selector, template: other }, 'status')),
    '1',
    'a status write changes no template',
  );
  t.end();
});

t.test('DaemonSet: one of the two paces is zero', (t) => {
  const refused = (rollingUpdate: object) =>
    refusals(daemonSets, { spec: { ...base, updateStrategy: { rollingUpdate } } });
  const field = 'spec.updateStrategy.rollingUpdate';
  t.same(refused({ maxSurge: 1 }), [
    `${field}.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero`,
  ]);
  t.same(refused({ maxUnavailable: 0, maxSurge: '10%' }), []);
  t.same(refused({ maxUnavailable: '101%' }), [
    `${field}.maxUnavailable: Invalid value: "101%": must not be greater than 100%`,
  ]);
  const odd = { ...base, updateStrategy: { type: 'Odd' } };
  t.same(refusals(daemonSets, { spec: odd }), [
    'spec.updateStrategy: Unsupported value: {"Type":"Odd","RollingUpdate":null}: supported values: "RollingUpdate", "OnDelete"',
  ]);
  t.same(refusals(daemonSets, { spec: { ...base, updateStrategy: { type: 'OnDelete' } } }), []);
  t.end();
});

t.test('DaemonSet: selector and template', (t) => {
  const labels =
    'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`';
  t.same(refusals(daemonSets, { spec: { template } }), [labels], 'no selector selects nothing');
  t.same(refusals(daemonSets, { spec: { template, selector: {} } }), [
    'spec.selector: Invalid value: {}: empty selector is invalid for daemonset',
  ]);
  t.same(
    refusals(daemonSets, {
      spec: { selector, template: { ...template, spec: { ...pods, activeDeadlineSeconds: 1 } } },
    }),
    [
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported',
    ],
  );
  const old = stored(daemonSets, { spec: base });
  const wider = { metadata: { labels: { app: 'a', b: 'c' } }, spec: pods };
  t.same(
    updateRefusals(daemonSets, old, { spec: { template: wider, selector: { matchLabels: { b: 'c' } } } }),
    ['spec.selector: Invalid value: {"matchLabels":{"b":"c"}}: field is immutable'],
  );
  t.same(
    updateRefusals(daemonSets, old, { spec: { ...base, minReadySeconds: -1 } }),
    Array.from(
      { length: 2 },
      () => 'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
    ),
    'upstream looks at the spec twice',
  );
  t.end();
});

t.test('DaemonSet: a status is written apart, and its counts are no less than zero', (t) => {
  const old: KubeObject = { ...stored(daemonSets, { spec: base }), status: { collisionCount: 1 } };
  const status = { numberReady: -1, collisionCount: 0 };
  const written = update(daemonSets, old, { metadata: { name: 'x' }, spec: {}, status }, 'status');
  t.same(messages(written), [
    'status.numberReady: Invalid value: -1: must be greater than or equal to 0',
    'status.collisionCount: Invalid value: 0: cannot be decremented',
  ]);
  t.same(written.object?.['spec'], old['spec']);
  t.end();
});

t.test('ControllerRevision: the data is there and never changes, the revision may', (t) => {
  t.same(refusals(controllerRevisions, {}), ['data: Required value: data is mandatory']);
  t.same(refusals(controllerRevisions, { data: null }), ['data: Required value: data is mandatory']);
  t.same(refusals(controllerRevisions, { data: [] }), [
    'data: Required value: data must be a valid JSON object',
  ]);
  const old = stored(controllerRevisions, { data: { a: { b: null } }, revision: 1 });
  t.same(old['data'], { a: { b: null } }, 'as it came');
  t.same(updateRefusals(controllerRevisions, old, { data: { a: { b: null } }, revision: 2 }), []);
  t.same(updateRefusals(controllerRevisions, old, { data: { a: 1 }, revision: 2 }), [
    'data: Invalid value: {"a":1}: field is immutable',
  ]);
  t.end();
});

t.test('ReplicationController: selector and labels are the template’s where there are none', (t) => {
  const object = stored(replicationControllers, { spec: { template } });
  t.match(object, { metadata: { labels: { app: 'a' } }, spec: { selector: { app: 'a' }, replicas: 1 } });
  const own = stored(replicationControllers, {
    metadata: { name: 'x', labels: { mine: '1' } },
    spec: { template, selector: { app: 'a' }, replicas: 0 },
  });
  t.match(own, { metadata: { labels: { mine: '1' } }, spec: { replicas: 0 } });
  t.same(refusals(replicationControllers, { spec: { template, selector: { app: 'b' } } }), [
    'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
  ]);
  const scale = replicationControllers.subresources.find(({ name }) => name === 'scale')?.scale;
  t.equal(scale?.selector(stored(replicationControllers, { spec: { template } })), 'app=a');
  t.equal(
    replicationControllers.selectableFields['status.replicas']?.({ ...object, status: { replicas: 3 } }),
    '3',
  );
  const status = { replicas: 1, fullyLabeledReplicas: 2, availableReplicas: 1 };
  t.same(updateRefusals(replicationControllers, object, { spec: { template }, status }, 'status'), [
    'status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 1: cannot be greater than readyReplicas',
  ]);
  t.end();
});

t.test('warnings of a template are due when the object is new or its intent has changed', (t) => {
  const warned = {
    metadata: template.metadata,
    spec: { ...pods, nodeSelector: { 'beta.kubernetes.io/os': 'l' } },
  };
  const cases: readonly (readonly [ResourceDefinition, Fields, string])[] = [
    [statefulSets, { spec: { selector, template: warned } }, 'spec.template'],
    [daemonSets, { spec: { selector, template: warned } }, 'spec.template'],
    [replicationControllers, { spec: { template: warned } }, 'spec.template'],
    [podTemplates, { template: warned }, 'template'],
  ];
  for (const [definition, body, field] of cases) {
    const object = stored(definition, body);
    const found = definition.strategy.warnings?.(object);
    const warning = `${field}.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead`;
    t.same(found, [warning], definition.kind);
    t.same(definition.strategy.warnings?.(object, object), [], `${definition.kind}, unchanged`);
    const next = { ...object, metadata: { ...object.metadata, generation: 2 } };
    t.same(definition.strategy.warnings?.(next, object), [warning], `${definition.kind}, changed`);
  }
  t.end();
});
