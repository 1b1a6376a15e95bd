/** What is refused in a pod, rule by rule: paths, texts and order are those of kube-apiserver 1.36. */
import * as fc from 'fast-check';
import t from 'tap';
import { pods } from '../../schemas/core/v1/pod.js';
import { create } from './pipeline.js';
import { body, ofContainer, ofSpec } from './pods-fixture.js';

/** Each row: what is put into the pod, and every refusal. */
type Rows = readonly (readonly [change: object, ...refusals: string[]])[];

function check(t: Tap, rows: Rows, refusalsOf: (change: object) => string[]): void {
  for (const [change, ...refusals] of rows)
    t.same(refusalsOf(change), refusals, JSON.stringify(change).slice(0, 100));
}
type Tap = Pick<typeof t, 'same'>;

t.test('containers: names, images, policies', (t) => {
  const c = 'spec.containers[0]';
  check(
    t,
    [
      [{ name: '' }, `${c}.name: Required value`],
      [{ image: '' }, `${c}.image: Required value`],
      [{ image: 'a ' }, `${c}.image: Invalid value: "a ": must not have leading or trailing whitespace`],
      [
        { terminationMessagePolicy: 'x' },
        `${c}.terminationMessagePolicy: Unsupported value: "x": supported values: "File", "FallbackToLogsOnError"`,
      ],
      [{ restartPolicy: 'OnFailure' }],
      [
        { restartPolicy: 'Odd' },
        `${c}.restartPolicy: Unsupported value: "Odd": supported values: "Always", "Never", "OnFailure"`,
      ],
      [
        { restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }] },
        `${c}.restartPolicy: Required value: must specify restartPolicy when restart rules are used`,
      ],
      [{ resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] }],
      [
        { resizePolicy: [{ resourceName: 'disk', restartPolicy: 'NotRequired' }] },
        `${c}.resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"`,
      ],
    ],
    ofContainer,
  );
  check(
    t,
    [
      [{ containers: [] }, 'spec.containers: Required value'],
      [
        {
          containers: [
            { name: 'a', image: 'i' },
            { name: 'a', image: 'i' },
          ],
        },
        'spec.containers[1].name: Duplicate value: "a"',
      ],
    ],
    ofSpec,
  );
  t.end();
});

t.test('containers: init containers run one by one, sidecars beside the others', (t) => {
  const init = (container: object) => ({ initContainers: [{ name: 'i', image: 'i', ...container }] });
  const probe = { httpGet: { port: 80 } };
  const i = 'spec.initContainers[0]';
  const alone = 'Forbidden: may not be set for init containers without restartPolicy=Always';
  check(
    t,
    [
      [init({})],
      [init({ name: 'c' }), `${i}.name: Duplicate value: "c"`],
      [init({ livenessProbe: probe }), `${i}.livenessProbe: ${alone}`],
      [
        init({ lifecycle: {}, startupProbe: probe }),
        `${i}.lifecycle: ${alone}`,
        `${i}.startupProbe: ${alone}`,
      ],
      [init({ livenessProbe: probe, restartPolicy: 'Always' })],
    ],
    ofSpec,
  );
  t.end();
});

t.test('ports', (t) => {
  const p = 'spec.containers[0].ports[0]';
  const port = (port: object) => ({ ports: [{ containerPort: 80, ...port }] });
  check(
    t,
    [
      [port({ containerPort: 0 }), `${p}.containerPort: Required value`],
      [port({ containerPort: 65535 })],
      [
        port({ containerPort: 65536 }),
        `${p}.containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive`,
      ],
      [port({ hostPort: -1 }), `${p}.hostPort: Invalid value: -1: must be between 1 and 65535, inclusive`],
      [
        port({ name: 'a_b' }),
        `${p}.name: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
      ],
      [
        {
          ports: [
            { containerPort: 1, name: 'a' },
            { containerPort: 2, name: 'a' },
          ],
        },
        'spec.containers[0].ports[1].name: Duplicate value: "a"',
      ],
      [
        {
          ports: [
            { containerPort: 1, hostPort: 9 },
            { containerPort: 2, hostPort: 9 },
          ],
        },
        'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//9"',
      ],
    ],
    ofContainer,
  );
  t.same(ofContainer({ ports: [{ containerPort: 80, hostPort: 81 }] }, { hostNetwork: true }), [
    `${p}.hostPort: Invalid value: 81: must match \`containerPort\` when \`hostNetwork\` is true`,
  ]);
  t.end();
});

t.test('environment', (t) => {
  const e = 'spec.containers[0].env[0]';
  const from = (valueFrom: object, value?: string) => ({
    env: [{ name: 'A', valueFrom, ...(value ? { value } : {}) }],
  });
  const field = (fieldPath: string) => from({ fieldRef: { fieldPath } });
  const fields =
    '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"';
  check(
    t,
    [
      [{ env: [{ name: '' }] }, `${e}.name: Required value`],
      [field('metadata.name')],
      [field("metadata.labels['a.b/c']")],
      [
        field("metadata.labels['a b']"),
        `${e}.valueFrom.fieldRef: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      ],
      [
        field('metadata.labels'),
        `${e}.valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: ${fields}`,
      ],
      [
        field('spec.x'),
        `${e}.valueFrom.fieldRef.fieldPath: Invalid value: "spec.x": error converting fieldPath: field label not supported: spec.x`,
      ],
      [field(''), `${e}.valueFrom.fieldRef.fieldPath: Required value`],
      [
        from({ fieldRef: { fieldPath: 'metadata.name', apiVersion: 'v2' } }),
        `${e}.valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2`,
      ],
      [from({ resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } })],
      [from({ resourceFieldRef: { resource: 'limits.hugepages-2Mi' } })],
      [
        from({ resourceFieldRef: { resource: 'limits.cpu', divisor: '2' } }),
        `${e}.valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
      ],
      [
        from({ resourceFieldRef: { resource: 'x' } }),
        `${e}.valueFrom.resourceFieldRef.resource: Unsupported value: "x": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"`,
      ],
      [
        from({ configMapKeyRef: { name: 'm', key: '' } }),
        `${e}.valueFrom.configMapKeyRef.key: Required value`,
      ],
      [
        from({ secretKeyRef: { name: 's', key: 'k' } }, 'v'),
        `${e}.valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
      ],
      [
        from({ secretKeyRef: { name: 's', key: 'k' }, configMapKeyRef: { name: 'm', key: 'k' } }),
        `${e}.valueFrom: Invalid value: "": may not have more than one field specified at a time`,
      ],
      [
        from({}),
        `${e}.valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\`, \`secretKeyRef\` or \`fileKeyRef\``,
      ],
      [{ envFrom: [{ prefix: 'P_', configMapRef: { name: 'm' } }] }],
      [
        { envFrom: [{}] },
        'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
      ],
      [{ envFrom: [{ secretRef: {} }] }, 'spec.containers[0].envFrom[0].secretRef.name: Required value'],
    ],
    ofContainer,
  );
  t.end();
});

t.test('requests and limits', (t) => {
  const r = 'spec.containers[0].resources';
  const resources = (limits: object, requests?: object, more: object = {}) => ({
    resources: { limits, ...(requests ? { requests } : {}), ...more },
  });
  check(
    t,
    [
      [resources({ cpu: '1', memory: '1Gi', 'ephemeral-storage': '1Gi' })],
      [
        resources({ cpu: '1' }, { cpu: '1001m' }),
        `${r}.requests: Invalid value: "1001m": must be less than or equal to cpu limit of 1`,
      ],
      [
        resources({ cpu: '-1' }, {}),
        `${r}.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0`,
        `${r}.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0`,
      ],
      [
        { resources: { requests: { pods: '1' } } },
        `${r}.requests[pods]: Invalid value: "pods": must be a standard resource for containers`,
      ],
      [
        { resources: { requests: { odd: '1' } } },
        `${r}.requests[odd]: Invalid value: "odd": must be a standard resource type or fully qualified`,
        `${r}.requests[odd]: Invalid value: "odd": must be a standard resource for containers`,
      ],
      [resources({ 'example.com/gpu': '1' })],
      [
        { resources: { requests: { 'example.com/gpu': '1' } } },
        `${r}.limits: Required value: Limit must be set for non overcommitable resources`,
      ],
      [
        resources({ 'example.com/gpu': '2' }, { 'example.com/gpu': '1' }),
        `${r}.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2`,
      ],
      [
        resources({ 'example.com/gpu': '1500m' }),
        `${r}.limits[example.com/gpu]: Invalid value: "1500m": must be an integer`,
        `${r}.requests[example.com/gpu]: Invalid value: "1500m": must be an integer`,
      ],
      [resources({ cpu: '1', 'hugepages-2Mi': '4Mi' })],
      [resources({ 'hugepages-2Mi': '4Mi' }), `${r}: Forbidden: HugePages require cpu or memory`],
      [
        resources({ cpu: '1', 'hugepages-2Mi': '3Mi' }),
        `${r}.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
        `${r}.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
      ],
      [
        { resources: { claims: [{ name: 'd' }] } },
        `${r}.claims[0]: Not found: "d": must be one of the names in pod.spec.resourceClaims which is empty`,
      ],
    ],
    ofContainer,
  );
  check(
    t,
    [
      [{ resourceClaims: [{ name: 'd', resourceClaimName: 'x' }] }],
      [
        { resourceClaims: [{ name: 'd' }] },
        'spec.resourceClaims[0]: Invalid value: {"name":"d"}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
      ],
      [
        {
          resources: { requests: { cpu: '1' } },
          containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '2' } } }],
        },
        'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
      ],
      [
        { resources: { requests: { 'ephemeral-storage': '1' } } },
        'spec.resources.requests[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "hugepages-", "memory"',
      ],
      [
        { overhead: { odd: '1' } },
        'spec.overhead.limits[odd]: Invalid value: "odd": must be a standard resource type or fully qualified',
        'spec.overhead.limits[odd]: Invalid value: "odd": must be a standard resource for containers',
      ],
    ],
    ofSpec,
  );
  t.end();
});

t.test('probes and hooks', (t) => {
  const c = 'spec.containers[0]';
  const live = (probe: object) => ({ livenessProbe: { httpGet: { port: 80 }, ...probe } });
  check(
    t,
    [
      [live({})],
      [
        live({ tcpSocket: { port: 'http' } }),
        `${c}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`,
      ],
      [{ livenessProbe: { exec: {} } }, `${c}.livenessProbe.exec.command: Required value`],
      [
        { livenessProbe: { httpGet: {} } },
        `${c}.livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive`,
      ],
      [
        {
          livenessProbe: { httpGet: { port: 80, scheme: 'FTP', httpHeaders: [{ name: 'a b', value: '' }] } },
        },
        `${c}.livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"`,
        `${c}.livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
      ],
      [live({ successThreshold: 2 }), `${c}.livenessProbe.successThreshold: Invalid value: 2: must be 1`],
      [
        live({ timeoutSeconds: -1 }),
        `${c}.livenessProbe.timeoutSeconds: Invalid value: -1: must be greater than or equal to 0`,
      ],
      [
        live({ terminationGracePeriodSeconds: 0 }),
        `${c}.livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0`,
      ],
      [{ readinessProbe: { httpGet: { port: 80 }, successThreshold: 2 } }],
      [
        { readinessProbe: { httpGet: { port: 80 }, terminationGracePeriodSeconds: 1 } },
        `${c}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes`,
      ],
      [{ lifecycle: { preStop: { sleep: { seconds: 30 } } } }],
      [
        { lifecycle: { preStop: { sleep: { seconds: 31 } } } },
        `${c}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)`,
      ],
      [
        { lifecycle: { postStart: {} } },
        `${c}.lifecycle.postStart: Required value: must specify a handler type`,
      ],
      [
        { lifecycle: { stopSignal: 'SIGTERM' } },
        `${c}.lifecycle.stopSignal: Forbidden: may not be set for containers with empty \`spec.os.name\``,
      ],
    ],
    ofContainer,
  );
  t.end();
});

t.test('volumes: one good source each, under its own name', (t) => {
  const v = 'spec.volumes[0]';
  const volume = (source: object, name = 'v') => ({ volumes: [{ name, ...source }] });
  const modes = 'must be a number between 0 and 0777 (octal), both inclusive';
  check(
    t,
    [
      [volume({}, ''), `${v}.name: Required value`],
      [{ volumes: [{ name: 'v' }, { name: 'v' }] }, 'spec.volumes[1].name: Duplicate value: "v"'],
      [
        volume({ emptyDir: {}, secret: { secretName: 's' } }),
        `${v}.secret: Forbidden: may not specify more than 1 volume type`,
      ],
      [
        volume({ emptyDir: { sizeLimit: '-1' } }),
        `${v}.emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity`,
      ],
      [
        volume({ hostPath: { path: '/a/../b' } }),
        `${v}.hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
      ],
      [
        volume({ hostPath: { path: '/a', type: 'Pipe' } }),
        `${v}.hostPath.type: Unsupported value: "Pipe": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"`,
      ],
      [volume({ secret: { secretName: 's', defaultMode: 0o777 } })],
      [
        volume({ secret: { secretName: 's', defaultMode: 0o1000 } }),
        `${v}.secret.defaultMode: Invalid value: 512: ${modes}`,
      ],
      [volume({ secret: {} }), `${v}.secret.secretName: Required value`],
      [
        volume({ configMap: { name: 'm', items: [{ key: '', path: '/x' }] } }),
        `${v}.configMap.items[0].key: Required value`,
        `${v}.configMap.items[0].path: Invalid value: "/x": must be a relative path`,
      ],
      [
        volume({ configMap: { name: 'm', items: [{ key: 'k', path: '..x' }] } }),
        `${v}.configMap.items[0].path: Invalid value: "..x": must not start with '..'`,
      ],
      [volume({ persistentVolumeClaim: {} }), `${v}.persistentVolumeClaim.claimName: Required value`],
      [
        volume({ downwardAPI: { items: [{ path: 'p' }] } }),
        `${v}.downwardAPI: Required value: one of fieldRef and resourceFieldRef is required`,
      ],
      [volume({ downwardAPI: { items: [{ path: 'p', fieldRef: { fieldPath: 'metadata.labels' } }] } })],
      [
        volume({ downwardAPI: { items: [{ path: 'p', resourceFieldRef: { resource: 'limits.cpu' } }] } }),
        `${v}.downwardAPI.resourceFieldRef.containerName: Required value`,
      ],
      [volume({ csi: { driver: 'A' } })],
      [
        volume({ csi: { driver: 'd'.repeat(64) } }),
        `${v}.csi.driver: Too long: may not be more than 63 bytes`,
      ],
      [volume({ image: {} }), `${v}.image.reference: Required value`],
      [
        volume({
          projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 599 } }] },
        }),
        `${v}.projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes`,
      ],
      [
        volume({
          projected: {
            sources: [
              { secret: { name: 's', items: [{ key: 'a', path: 'p' }] } },
              { configMap: { name: 'm', items: [{ key: 'a', path: 'p' }] } },
            ],
          },
        }),
        `${v}.projected: Invalid value: "m": conflicting duplicate paths`,
      ],
      [
        volume({ projected: { sources: [{ secret: { name: 's' }, configMap: { name: 'm' } }] } }),
        `${v}.projected.sources[0]: Forbidden: may not specify more than 1 volume type per source`,
      ],
      [volume({ ephemeral: {} }), `${v}.ephemeral.volumeClaimTemplate: Required value`],
      [
        volume({ ephemeral: { volumeClaimTemplate: { spec: {} } } }),
        `${v}.ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required`,
        `${v}.ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value`,
      ],
    ],
    (change) => ofSpec({ serviceAccountName: 'robot', ...change }),
  );
  t.end();
});

t.test('volumes: the sources of storage drivers', (t) => {
  const v = 'spec.volumes[0]';
  const volume = (source: object) => ({ volumes: [{ name: 'v', ...source }] });
  const rows: Rows = [
    [
      volume({ nfs: { server: 's', path: 'x' } }),
      `${v}.nfs.path: Invalid value: "x": must be an absolute path`,
    ],
    [
      volume({ gcePersistentDisk: { partition: 256 } }),
      `${v}.persistentDisk.pdName: Required value`,
      `${v}.persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive`,
    ],
    [volume({ awsElasticBlockStore: {} }), `${v}.awsElasticBlockStore.volumeID: Required value`],
    [
      volume({ iscsi: { targetPortal: 'p', iqn: 'x', lun: 256 } }),
      `${v}.iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa`,
      `${v}.iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive`,
    ],
    [volume({ rbd: {} }), `${v}.rbd.monitors: Required value`, `${v}.rbd.image: Required value`],
    [volume({ flocker: {} }), `${v}.flocker: Required value: one of datasetName and datasetUUID is required`],
    [
      volume({ fc: { targetWWNs: ['a'] } }),
      `${v}.fc.lun: Required value: lun is required if targetWWNs is specified`,
    ],
    [
      volume({ quobyte: { registry: 'host', volume: 'v' } }),
      `${v}.quobyte.registry: Invalid value: "host": must be a host:port pair or multiple pairs separated by commas`,
    ],
    [
      volume({ flexVolume: { driver: 'd', options: { 'x.k8s.io/y': '' } } }),
      `${v}.flexVolume.options[x.k8s.io/y]: Invalid value: "x.k8s.io/y": kubernetes.io and k8s.io namespaces are reserved`,
    ],
    [
      volume({ azureDisk: { diskName: 'd', diskURI: 'x', kind: 'Managed' } }),
      `${v}.azureDisk.diskURI: Unsupported value: "x": supported values: "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"`,
    ],
    [volume({ cinder: { volumeID: 'v', secretRef: {} } }), `${v}.cinder.secretRef.name: Required value`],
    [volume({ storageos: {} }), `${v}.storageos.volumeName: Required value`],
    [
      volume({ scaleIO: { gateway: 'g', system: 's', secretRef: {} } }),
      `${v}.scaleIO.volumeName: Required value`,
    ],
    [
      volume({ gitRepo: { repository: 'r', directory: '../x' } }),
      `${v}.gitRepo.directory: Invalid value: "../x": must not contain '..'`,
    ],
  ];
  check(t, rows, ofSpec);
  for (const name of [
    'glusterfs',
    'cephfs',
    'azureFile',
    'vsphereVolume',
    'photonPersistentDisk',
    'portworxVolume',
  ]) {
    t.match(
      ofSpec(volume({ [name]: {} })),
      [new RegExp(`^spec\\.volumes\\[0\\]\\.${name}\\.\\w+: Required value$`)],
      name,
    );
  }
  t.end();
});

t.test('mounts', (t) => {
  const volumes = [
    { name: 'v' },
    { name: 'p', persistentVolumeClaim: { claimName: 'c' } },
    { name: 'i', image: { reference: 'r' } },
  ];
  const m = 'spec.containers[0].volumeMounts';
  const mount = (change: object, container: object = {}) => ({
    volumeMounts: [{ name: 'v', mountPath: '/v', ...change }],
    ...container,
  });
  check(
    t,
    [
      [mount({})],
      [mount({ name: 'w' }), `${m}[0].name: Not found: "w"`],
      [mount({ mountPath: '' }), `${m}[0].mountPath: Required value`],
      [
        {
          volumeMounts: [
            { name: 'v', mountPath: '/v' },
            { name: 'p', mountPath: '/v' },
          ],
        },
        `${m}[1].mountPath: Invalid value: "/v": must be unique`,
      ],
      [mount({ subPath: '/a' }), `${m}.subPath: Invalid value: "/a": must be a relative path`],
      [
        mount({ subPath: 'a', subPathExpr: 'b' }),
        `${m}[0].subPathExpr: Invalid value: "b": subPathExpr and subPath are mutually exclusive`,
      ],
      [
        mount({ name: 'i', subPath: 'a' }),
        `${m}[0].subPath: Invalid value: "a": not allowed in image volume sources`,
      ],
      [
        mount({ mountPropagation: 'Bidirectional' }),
        `${m}.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers`,
      ],
      [mount({ mountPropagation: 'Bidirectional' }, { securityContext: { privileged: true } })],
      [
        mount({ recursiveReadOnly: 'Enabled' }),
        `${m}.recursiveReadOnly: Forbidden: may only be specified when readOnly is true`,
      ],
      [{ volumeDevices: [{ name: 'p', devicePath: '/dev/x' }] }],
      [
        { volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] },
        'spec.containers[0].volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      ],
      [
        { ...mount({ name: 'p' }), volumeDevices: [{ name: 'p', devicePath: '/x' }] },
        `${m}[0].name: Invalid value: "p": must not already exist in volumeDevices`,
        'spec.containers[0].volumeDevices[0].name: Invalid value: "p": must not already exist in volumeMounts',
      ],
    ],
    (container) => ofContainer(container, { volumes }),
  );
  t.end();
});

t.test('policies, names, deadlines', (t) => {
  check(
    t,
    [
      [
        { dnsPolicy: 'Odd' },
        'spec.dnsPolicy: Unsupported value: "Odd": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
      ],
      [
        { activeDeadlineSeconds: 0 },
        'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
      ],
      [
        { preemptionPolicy: 'x' },
        'spec.preemptionPolicy: Unsupported value: "x": supported values: "PreemptLowerPriority", "Never"',
      ],
      [{ imagePullSecrets: [{ name: 's' }] }],
      [
        { hostAliases: [{ ip: '1.2.3', hostnames: ['a'] }] },
        'spec.hostAliases[0].ip: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
      [
        { dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] } },
        'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]: must not have more than 3 nameservers',
      ],
      [
        { dnsConfig: { searches: ['a_b.c.', '.'], options: [{ value: 'x' }] } },
        'spec.dnsConfig.options[0]: Required value: must not be empty',
      ],
      [
        { dnsPolicy: 'None', dnsConfig: {} },
        'spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None',
      ],
      [{ schedulingGates: [{ name: 'a' }, { name: 'a' }] }, 'spec.schedulingGates[1]: Duplicate value: "a"'],
      [
        { schedulingGates: [{ name: 'a' }], nodeName: 'n' },
        'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
      ],
      [
        { hostnameOverride: 'h', hostNetwork: true },
        'spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true',
      ],
    ],
    ofSpec,
  );
  for (const name of [
    'hostname',
    'subdomain',
    'nodeName',
    'serviceAccountName',
    'priorityClassName',
    'runtimeClassName',
  ]) {
    t.match(
      ofSpec({ [name]: 'A' }),
      [new RegExp(`^spec\\.${name}: Invalid value: "A": a lowercase RFC 1123`)],
      name,
    );
  }
  t.match(ofSpec({ readinessGates: [{ conditionType: 'a b' }] }), [
    /^spec\.readinessGates\[0\]\.conditionType: Invalid/,
  ]);
  t.match(ofSpec({ nodeSelector: { 'a b': '' } }), [/^spec\.nodeSelector: Invalid value: "a b"/]);
  t.end();
});

t.test('tolerations', (t) => {
  const p = 'spec.tolerations[0]';
  const one = (toleration: object) => ({ tolerations: [toleration] });
  check(
    t,
    [
      [one({ operator: 'Exists' })],
      [
        one({}),
        `${p}.operator: Invalid value: "": operator must be Exists when \`key\` is empty, which means "match all values and all keys"`,
      ],
      [
        one({ key: 'a', operator: 'Exists', value: 'x' }),
        `${p}.operator: Invalid value: {"Key":"a","Operator":"Exists","Value":"x","Effect":"","TolerationSeconds":null}: value must be empty when \`operator\` is 'Exists'`,
      ],
      [
        one({ key: 'a', operator: 'Near' }),
        `${p}.operator: Unsupported value: "Near": supported values: "Equal", "Exists"`,
      ],
      [
        one({ key: 'a', tolerationSeconds: 1 }),
        `${p}.effect: Invalid value: "": effect must be 'NoExecute' when \`tolerationSeconds\` is set`,
      ],
      [
        one({ key: 'a', effect: 'Never' }),
        `${p}.effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"`,
      ],
    ],
    ofSpec,
  );
  t.end();
});

t.test('affinity and spread', (t) => {
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
  const node = (requirement: object) => ({
    affinity: { nodeAffinity: { [required]: { nodeSelectorTerms: [{ matchExpressions: [requirement] }] } } },
  });
  const n = `spec.affinity.nodeAffinity.${required}.nodeSelectorTerms`;
  const podTerm = (term: object) => ({
    affinity: { podAntiAffinity: { [required]: [{ topologyKey: 'zone', ...term }] } },
  });
  const a = `spec.affinity.podAntiAffinity.${required}[0]`;
  const spread = (change: object) => ({
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {}, ...change },
    ],
  });
  const s = 'spec.topologySpreadConstraints[0]';
  check(
    t,
    [
      [node({ key: 'a', operator: 'In', values: ['x'] })],
      [
        node({ key: 'a', operator: 'In' }),
        `${n}[0].matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
      ],
      [
        node({ key: 'a', operator: 'Gt', values: ['1', '2'] }),
        `${n}[0].matchExpressions[0].values: Required value: must be specified single value when \`operator\` is 'Lt' or 'Gt'`,
      ],
      [
        { affinity: { nodeAffinity: { [required]: { nodeSelectorTerms: [] } } } },
        `${n}: Required value: must have at least one node selector term`,
      ],
      [
        {
          affinity: {
            nodeAffinity: {
              [required]: {
                nodeSelectorTerms: [
                  { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a', 'b'] }] },
                ],
              },
            },
          },
        },
        `${n}[0].matchFields[0].values: Required value: must be only one value when \`operator\` is 'In' or 'NotIn' for node field selector`,
      ],
      [
        { affinity: { nodeAffinity: { [preferred]: [{ weight: 101, preference: {} }] } } },
        `spec.affinity.nodeAffinity.${preferred}[0].weight: Invalid value: 101: must be in the range 1-100`,
      ],
      [podTerm({ labelSelector: {} })],
      [
        podTerm({ matchLabelKeys: ['a'] }),
        `${a}.matchLabelKeys: Forbidden: must not be specified when labelSelector is not set`,
      ],
      [
        podTerm({ labelSelector: {}, matchLabelKeys: ['a'], mismatchLabelKeys: ['a'] }),
        `${a}.matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and mismatchLabelKeys`,
      ],
      [podTerm({ namespaces: ['a'] })],
      [spread({})],
      [spread({ maxSkew: 0 }), `${s}.maxSkew: Invalid value: 0: must be greater than zero`],
      [spread({ topologyKey: '' }), `${s}.topologyKey: Required value: can not be empty`],
      [
        spread({ whenUnsatisfiable: 'x' }),
        `${s}.whenUnsatisfiable: Unsupported value: "x": supported values: "DoNotSchedule", "ScheduleAnyway"`,
      ],
      [
        spread({ whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2 }),
        `${s}.minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway`,
      ],
      [
        spread({ nodeTaintsPolicy: 'x' }),
        `${s}.nodeTaintsPolicy: Unsupported value: "x": supported values: "Honor", "Ignore"`,
      ],
      [
        spread({ matchLabelKeys: ['app'], labelSelector: { matchLabels: { app: 'x' } } }),
        `${s}.matchLabelKeys[0]: Invalid value: "app": exists in both matchLabelKeys and labelSelector`,
      ],
      [spread({ matchLabelKeys: ['app'] })],
      [
        {
          topologySpreadConstraints: [
            ...spread({}).topologySpreadConstraints,
            ...spread({}).topologySpreadConstraints,
          ],
        },
        `${s}.{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"`,
      ],
    ],
    (change) => ofSpec(change, { labels: { app: 'x' } }),
  );
  t.end();
});

t.test('security', (t) => {
  const c = 'spec.containers[0].securityContext';
  const s = 'spec.securityContext';
  check(
    t,
    [
      [{ runAsUser: 4_294_967_295 }],
      [
        { runAsUser: 4_294_967_296 },
        `${c}.runAsUser: Invalid value: 4294967296: must be between 0 and 4294967295, inclusive`,
      ],
      [
        { procMount: 'Unmasked' },
        `${c}.procMount: Invalid value: "Unmasked": \`hostUsers\` must be false to use \`Unmasked\``,
      ],
      [
        { allowPrivilegeEscalation: false, privileged: true },
        `${c}: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
      ],
      [
        { seccompProfile: {} },
        `${c}.seccompProfile.type: Required value: type is required when seccompProfile is set`,
      ],
      [
        { seccompProfile: { type: 'Localhost', localhostProfile: '/x' } },
        `${c}.seccompProfile.localhostProfile: Invalid value: "/x": must be a relative path`,
      ],
      [
        { appArmorProfile: { type: 'Localhost' } },
        `${c}.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost`,
      ],
      [
        { windowsOptions: { runAsUserName: 'a\\b\\c' } },
        `${c}.windowsOptions.runAsUserName: Invalid value: "a\\\\b\\\\c": runAsUserName cannot contain more than one backslash`,
      ],
    ],
    (securityContext) => ofContainer({ securityContext }),
  );
  check(
    t,
    [
      [
        { securityContext: { fsGroup: -1, supplementalGroups: [-2] } },
        `${s}.fsGroup: Invalid value: -1: must be between 0 and 4294967295, inclusive`,
        `${s}.supplementalGroups[0]: Invalid value: -2: must be between 0 and 4294967295, inclusive`,
      ],
      [{ securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '1' }] } }],
      [
        { securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '1' }] }, hostNetwork: true },
        `${s}.sysctls[0].name: Invalid value: "net.core.somaxconn": may not be specified when 'hostNetwork' is true`,
      ],
      [
        { securityContext: { sysctls: [{ name: 'A', value: '' }] } },
        `${s}.sysctls[0].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`,
      ],
      [
        { securityContext: { fsGroupChangePolicy: 'x' } },
        `${s}.fsGroupChangePolicy: Unsupported value: "x": supported values: "Always", "OnRootMismatch"`,
      ],
      [
        { hostPID: true, shareProcessNamespace: true },
        `${s}.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled`,
      ],
      [
        { hostUsers: false, hostNetwork: true, hostPID: true },
        'spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false',
        'spec.HostPID: Forbidden: when `pod.Spec.HostUsers` is false',
      ],
      [
        { os: { name: 'plan9' } },
        'spec.os: Unsupported value: "plan9": supported values: "linux", "windows"',
      ],
      [
        { os: { name: 'linux' }, securityContext: { windowsOptions: {} } },
        `${s}.windowsOptions: Forbidden: windows options cannot be set for a linux pod`,
      ],
      [
        { os: { name: 'windows' }, securityContext: { runAsUser: 1 }, hostUsers: false },
        'spec.hostUsers: Forbidden: cannot be set for a windows pod',
        `${s}.runAsUser: Forbidden: cannot be set for a windows pod`,
      ],
      [
        { securityContext: { windowsOptions: { hostProcess: true } } },
        'spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers',
      ],
    ],
    ofSpec,
  );
  t.end();
});

t.test('annotations that mean something', (t) => {
  const annotated = (key: string, value: string): string[] => ofSpec({}, { annotations: { [key]: value } });
  const cost = 'controller.kubernetes.io/pod-deletion-cost';
  t.same(annotated(cost, '-5'), []);
  t.same(annotated(cost, '1.5'), [
    `metadata.annotations[${cost}]: Invalid value: "1.5": must be a 32bit integer`,
  ]);
  const appArmor = 'container.apparmor.security.beta.kubernetes.io/';
  t.same(annotated(`${appArmor}c`, 'runtime/default'), []);
  t.same(annotated(`${appArmor}d`, 'odd'), [
    `metadata.annotations[${appArmor}d]: Invalid value: "d": container not found`,
    `metadata.annotations[${appArmor}d]: Invalid value: "odd": invalid AppArmor profile name: "odd"`,
  ]);
  t.end();
});

t.test('several refusals stand in upstream’s order', (t) => {
  const spec = {
    volumes: [{ name: 'A' }],
    containers: [{ name: 'B', image: '' }],
    restartPolicy: 'x',
    dnsPolicy: 'y',
    nodeName: 'C',
  };
  const fields = create(pods, { metadata: { name: 'Z' }, spec }).errors.map(({ field }) => field);
  t.same(fields, [
    'metadata.name',
    'spec.volumes[0].name',
    'spec.containers[0].name',
    'spec.containers[0].image',
    'spec.restartPolicy',
    'spec.dnsPolicy',
    'spec.nodeName',
  ]);
  t.end();
});

t.test('no body, however strange, makes validation fail itself', (t) => {
  const odd = fc.constantFrom<unknown>(
    undefined,
    '',
    'A b',
    -1,
    0,
    70_000,
    true,
    false,
    [],
    {},
    ['x'],
    [{}],
    { '': '' },
  );
  const names = [
    'volumes',
    'containers',
    'initContainers',
    'affinity',
    'tolerations',
    'dnsConfig',
    'securityContext',
    'topologySpreadConstraints',
    'resources',
    'os',
    'hostAliases',
    'overhead',
    'resourceClaims',
    'nodeSelector',
    'hostNetwork',
  ];
  const level = fc.dictionary(
    fc.constantFrom(
      'name',
      'image',
      'env',
      'ports',
      'httpGet',
      'livenessProbe',
      'volumeMounts',
      'resources',
      'limits',
      'requests',
      'projected',
      'sources',
      'secret',
      'configMap',
      'items',
      'nodeAffinity',
      'podAffinity',
      'matchLabelKeys',
      'labelSelector',
      'lifecycle',
      'preStop',
      'valueFrom',
      'fieldRef',
      'iscsi',
      'ephemeral',
      'nameservers',
      'claims',
    ),
    odd,
  );
  const nested = fc.oneof(
    odd,
    level,
    fc.array(level, { maxLength: 2 }),
    level.map((inner) => [
      { ...inner, livenessProbe: inner, projected: { sources: [inner] }, valueFrom: inner },
    ]),
  );
  const spec = fc.dictionary(fc.constantFrom(...names), nested);
  fc.assert(
    fc.property(spec, (spec) => {
      const outcome = create(pods, { ...body(), spec });
      return (
        outcome.typeError !== undefined ||
        outcome.errors.every(({ field, message }) => field !== '' && message !== '')
      );
    }),
    { numRuns: 1000 },
  );
  t.end();
});
