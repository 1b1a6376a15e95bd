/**
 * What each controller of kube-controller-manager may do: the role `system:controller:<name>`, bound to the service
 * account of that name in kube-system.
 */
import { CORE, on, READ, recordsEvents, type RolesByName } from './rbac-rules.js';

const APPS = 'apps extensions';
const CERTIFICATES = 'certificates.k8s.io';
const DEVICES = 'resource.k8s.io';
const ENDPOINT_SLICES = 'discovery.k8s.io';
const NETWORKING = 'networking.k8s.io';
const STORAGE = 'storage.k8s.io';

const MAKE = 'create delete get list patch update watch';
const MAKE_PODS = 'create delete list patch watch';
const FOLLOW = 'list watch';
const KEEP = 'get list update watch';

const signers = (...names: readonly string[]) => names.map((name) => `kubernetes.io/${name}`);

const workloadControllers = (): RolesByName => ({
  'cronjob-controller': [
    on(KEEP, 'batch', 'cronjobs'),
    on(MAKE, 'batch', 'jobs'),
    on('update', 'batch', 'cronjobs/status'),
    on('update', 'batch', 'cronjobs/finalizers'),
    on('delete list watch', CORE, 'pods'),
    recordsEvents,
  ],
  'daemon-set-controller': [
    on(READ, APPS, 'daemonsets'),
    on('update', APPS, 'daemonsets/status'),
    on('update', APPS, 'daemonsets/finalizers'),
    on(FOLLOW, CORE, 'nodes'),
    on(MAKE_PODS, CORE, 'pods'),
    on('create', CORE, 'pods/binding'),
    on(MAKE, 'apps', 'controllerrevisions'),
    recordsEvents,
  ],
  'deployment-controller': [
    on(KEEP, APPS, 'deployments'),
    on('update', APPS, 'deployments/status'),
    on('update', APPS, 'deployments/finalizers'),
    on(MAKE, APPS, 'replicasets'),
    on(KEEP, CORE, 'pods'),
    recordsEvents,
  ],
  'disruption-controller': [
    on(READ, APPS, 'deployments'),
    on(READ, APPS, 'replicasets'),
    on(READ, CORE, 'replicationcontrollers'),
    on(READ, 'policy', 'poddisruptionbudgets'),
    on(READ, 'apps', 'statefulsets'),
    on('update', 'policy', 'poddisruptionbudgets/status'),
    on('patch update', CORE, 'pods/status'),
    on('get', '*', '*/scale'),
    recordsEvents,
  ],
  'horizontal-pod-autoscaler': [
    on(READ, 'autoscaling', 'horizontalpodautoscalers'),
    on('update', 'autoscaling', 'horizontalpodautoscalers/status'),
    on('get update', '*', '*/scale'),
    on(FOLLOW, CORE, 'pods'),
    on(FOLLOW, 'metrics.k8s.io', 'pods'),
    on(READ, 'custom.metrics.k8s.io', '*'),
    on(READ, 'external.metrics.k8s.io', '*'),
    recordsEvents,
  ],
  'job-controller': [
    on('get list patch update watch', 'batch', 'jobs'),
    on('update', 'batch', 'jobs/status'),
    on('update', 'batch', 'jobs/finalizers'),
    on(MAKE_PODS, CORE, 'pods'),
    recordsEvents,
  ],
  'replicaset-controller': [
    on(KEEP, APPS, 'replicasets'),
    on('update', APPS, 'replicasets/status'),
    on('update', APPS, 'replicasets/finalizers'),
    on(MAKE_PODS, CORE, 'pods'),
    recordsEvents,
  ],
  'replication-controller': [
    on(KEEP, CORE, 'replicationcontrollers'),
    on('update', CORE, 'replicationcontrollers/status'),
    on('update', CORE, 'replicationcontrollers/finalizers'),
    on(MAKE_PODS, CORE, 'pods'),
    recordsEvents,
  ],
  'statefulset-controller': [
    on(FOLLOW, CORE, 'pods'),
    on(READ, 'apps', 'statefulsets'),
    on('update', 'apps', 'statefulsets/status'),
    on('update', 'apps', 'statefulsets/finalizers'),
    on('create delete get patch update', CORE, 'pods'),
    on(MAKE, 'apps', 'controllerrevisions'),
    on('create get list watch', CORE, 'persistentvolumeclaims'),
    on('delete update', CORE, 'persistentvolumeclaims'),
    on('update', CORE, 'pods/finalizers'),
    recordsEvents,
  ],
  'ttl-after-finished-controller': [on('delete get list watch', 'batch', 'jobs'), recordsEvents],
});

const nodeControllers = (): RolesByName => ({
  'device-taint-eviction-controller': [
    on('delete get list watch', CORE, 'pods'),
    on('patch update', CORE, 'pods/status'),
    on(READ, DEVICES, 'resourceclaims'),
    on(READ, DEVICES, 'resourceslices'),
    on(READ, DEVICES, 'deviceclasses'),
    recordsEvents,
  ],
  'node-controller': [
    on('delete get list patch update watch', CORE, 'nodes'),
    on('patch update', CORE, 'nodes/status'),
    on('patch update', CORE, 'pods/status'),
    on('delete get list watch', CORE, 'pods'),
    on(READ, 'coordination.k8s.io', 'leases'),
    recordsEvents,
  ],
  'pod-garbage-collector': [
    on('delete list watch', CORE, 'pods'),
    on(READ, CORE, 'nodes'),
    on('patch', CORE, 'pods/status'),
  ],
  'resource-claim-controller': [
    on(READ, CORE, 'pods'),
    on('update', CORE, 'pods/finalizers'),
    on('create delete get list watch', DEVICES, 'resourceclaims'),
    on('patch update', DEVICES, 'resourceclaims resourceclaims/status'),
    on('patch update', CORE, 'pods/status'),
    recordsEvents,
    on('patch update', DEVICES, 'resourceclaims/binding'),
  ],
  'route-controller': [on(FOLLOW, CORE, 'nodes'), on('patch', CORE, 'nodes/status'), recordsEvents],
  'ttl-controller': [on('list patch update watch', CORE, 'nodes'), recordsEvents],
});

const networkControllers = (): RolesByName => ({
  'endpoint-controller': [
    on(READ, CORE, 'pods services'),
    on('create delete get list update watch', CORE, 'endpoints'),
    on('create', CORE, 'endpoints/restricted'),
    recordsEvents,
  ],
  'endpointslice-controller': [
    on(READ, CORE, 'nodes pods services'),
    on('update', CORE, 'services/finalizers'),
    on('create delete get list update watch', ENDPOINT_SLICES, 'endpointslices'),
    recordsEvents,
  ],
  'endpointslicemirroring-controller': [
    on(READ, CORE, 'endpoints services'),
    on('update', CORE, 'services/finalizers'),
    on('update', CORE, 'endpoints/finalizers'),
    on('create delete get list update watch', ENDPOINT_SLICES, 'endpointslices'),
    recordsEvents,
  ],
  'service-cidrs-controller': [
    on('get list patch update watch', NETWORKING, 'servicecidrs'),
    on('patch update', NETWORKING, 'servicecidrs/finalizers'),
    on('patch update', NETWORKING, 'servicecidrs/status'),
    on(READ, NETWORKING, 'ipaddresses'),
    recordsEvents,
  ],
  'service-controller': [
    on(READ, CORE, 'services'),
    on('patch update', CORE, 'services/status'),
    on(FOLLOW, CORE, 'nodes'),
    recordsEvents,
  ],
});

const volumeControllers = (): RolesByName => ({
  'attachdetach-controller': [
    on(FOLLOW, CORE, 'persistentvolumeclaims persistentvolumes'),
    on(READ, CORE, 'nodes'),
    on('patch update', CORE, 'nodes/status'),
    on(FOLLOW, CORE, 'pods'),
    recordsEvents,
    on('create delete get list watch', STORAGE, 'volumeattachments'),
    on(READ, STORAGE, 'csidrivers'),
    on(READ, STORAGE, 'csinodes'),
  ],
  'ephemeral-volume-controller': [
    on(READ, CORE, 'pods'),
    on('update', CORE, 'pods/finalizers'),
    on('create get list watch', CORE, 'persistentvolumeclaims'),
    recordsEvents,
  ],
  'expand-controller': [
    on('get list patch update watch', CORE, 'persistentvolumes'),
    on('patch update', CORE, 'persistentvolumeclaims/status'),
    on(READ, CORE, 'persistentvolumeclaims'),
    recordsEvents,
  ],
  'persistent-volume-binder': [
    on('create delete get list update watch', CORE, 'persistentvolumes'),
    on('update', CORE, 'persistentvolumes/status'),
    on(KEEP, CORE, 'persistentvolumeclaims'),
    on('update', CORE, 'persistentvolumeclaims/status'),
    on('create delete get list watch', CORE, 'pods'),
    on(READ, STORAGE, 'storageclasses'),
    on(FOLLOW, CORE, 'nodes'),
    recordsEvents,
    on('watch', CORE, 'events'),
  ],
  'pv-protection-controller': [on(KEEP, CORE, 'persistentvolumes'), recordsEvents],
  'pvc-protection-controller': [
    on(KEEP, CORE, 'persistentvolumeclaims'),
    on('update', CORE, 'persistentvolumeclaims/status'),
    on(READ, CORE, 'pods'),
    recordsEvents,
  ],
  'selinux-warning-controller': [
    recordsEvents,
    on(READ, CORE, 'persistentvolumes'),
    on(READ, CORE, 'persistentvolumeclaims'),
    on(READ, CORE, 'pods'),
    on(READ, STORAGE, 'csidrivers'),
  ],
  'volumeattributesclass-protection-controller': [
    on(READ, CORE, 'persistentvolumeclaims'),
    on(READ, CORE, 'persistentvolumes'),
    on(KEEP, STORAGE, 'volumeattributesclasses'),
    recordsEvents,
  ],
});

const clusterControllers = (): RolesByName => ({
  'certificate-controller': [
    on('delete get list watch', CERTIFICATES, 'certificatesigningrequests'),
    on('update', CERTIFICATES, 'certificatesigningrequests/approval certificatesigningrequests/status'),
    on('approve', CERTIFICATES, 'signers', signers('kube-apiserver-client-kubelet')),
    on(
      'sign',
      CERTIFICATES,
      'signers',
      signers('kube-apiserver-client', 'kube-apiserver-client-kubelet', 'kubelet-serving', 'legacy-unknown'),
    ),
    on('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    recordsEvents,
  ],
  'clusterrole-aggregation-controller': [
    on('escalate get list patch update watch', 'rbac.authorization.k8s.io', 'clusterroles'),
  ],
  'generic-garbage-collector': [on('delete get list patch update watch', '*', '*'), recordsEvents],
  'legacy-service-account-token-cleaner': [
    on('get', CORE, 'configmaps', ['kube-apiserver-legacy-service-account-token-tracking']),
    on('delete patch', CORE, 'secrets'),
  ],
  'namespace-controller': [
    on('delete get list watch', CORE, 'namespaces'),
    on('update', CORE, 'namespaces/finalize namespaces/status'),
    on('delete deletecollection get list watch', '*', '*'),
  ],
  'resourcequota-controller': [
    on(FOLLOW, '*', '*'),
    on('update', CORE, 'resourcequotas/status'),
    recordsEvents,
  ],
  'root-ca-cert-publisher': [on('create update', CORE, 'configmaps'), recordsEvents],
  'service-account-controller': [on('create', CORE, 'serviceaccounts'), recordsEvents],
  'validatingadmissionpolicy-status-controller': [
    on(READ, 'admissionregistration.k8s.io', 'validatingadmissionpolicies'),
    on('get patch update', 'admissionregistration.k8s.io', 'validatingadmissionpolicies/status'),
    recordsEvents,
  ],
});

/** By the controller's name. */
export const controllerRoles = (): RolesByName => ({
  ...workloadControllers(),
  ...nodeControllers(),
  ...networkControllers(),
  ...volumeControllers(),
  ...clusterControllers(),
});
