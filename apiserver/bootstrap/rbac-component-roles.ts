/** The roles of programs that run beside an API server, but for the controllers. */
import { CORE, on, READ, recordsEvents, type RolesByName } from './rbac-rules.js';

const CERTIFICATES = 'certificates.k8s.io';
const LEASES = 'coordination.k8s.io';
const DEVICES = 'resource.k8s.io';
const STORAGE = 'storage.k8s.io';

const reviewsTokens = on('create', 'authentication.k8s.io', 'tokenreviews');
const reviewsAccess = on('create', 'authorization.k8s.io', 'subjectaccessreviews');
const requestsCertificates = on('create get list watch', CERTIFICATES, 'certificatesigningrequests');

const asksFor = (what: string) => [on('create', CERTIFICATES, `certificatesigningrequests/${what}`)];
const approves = (signer: string) => [on('approve', CERTIFICATES, 'signers', [`kubernetes.io/${signer}`])];

const nodeRoles = (): RolesByName => ({
  'system:node': [
    reviewsTokens,
    on('create', 'authorization.k8s.io', 'localsubjectaccessreviews subjectaccessreviews'),
    on(READ, CORE, 'services'),
    on('create get list watch', CORE, 'nodes'),
    on('patch update', CORE, 'nodes/status'),
    on('patch update', CORE, 'nodes'),
    on('create patch update', CORE, 'events'),
    on(READ, CORE, 'pods'),
    on('create delete', CORE, 'pods'),
    on('patch update', CORE, 'pods/status'),
    on('create', CORE, 'pods/eviction'),
    on(READ, CORE, 'configmaps secrets'),
    on('get', CORE, 'persistentvolumeclaims persistentvolumes'),
    on('get', CORE, 'endpoints'),
    requestsCertificates,
    on('create delete get patch update', LEASES, 'leases'),
    on('get', STORAGE, 'volumeattachments'),
    on('create', CORE, 'serviceaccounts/token'),
    on('get patch update', CORE, 'persistentvolumeclaims/status'),
    on(READ, STORAGE, 'csidrivers'),
    on('create delete get patch update', STORAGE, 'csinodes'),
    on(READ, 'node.k8s.io', 'runtimeclasses'),
    on('get', DEVICES, 'resourceclaims'),
    on('deletecollection', DEVICES, 'resourceslices'),
    on('get', CORE, 'serviceaccounts'),
  ],
  'system:node-bootstrapper': [requestsCertificates],
  'system:node-problem-detector': [
    on('get', CORE, 'nodes'),
    on('patch', CORE, 'nodes/status'),
    recordsEvents,
  ],
  'system:node-proxier': [
    on('list watch', CORE, 'endpoints services'),
    on(READ, CORE, 'nodes'),
    recordsEvents,
    on('list watch', 'networking.k8s.io', 'servicecidrs'),
    on('list watch', 'discovery.k8s.io', 'endpointslices'),
  ],
  'system:kubelet-api-admin': [
    on(READ, CORE, 'nodes'),
    on('proxy', CORE, 'nodes'),
    on('*', CORE, 'nodes/log nodes/metrics nodes/proxy nodes/stats'),
    on('*', CORE, 'nodes/configz nodes/healthz nodes/pods'),
  ],
});

const controlPlaneRoles = (): RolesByName => ({
  'system:kube-controller-manager': [
    recordsEvents,
    on('create', LEASES, 'leases'),
    on('get update', LEASES, 'leases', ['kube-controller-manager']),
    on('create', CORE, 'secrets serviceaccounts'),
    on('delete', CORE, 'secrets'),
    on('get', CORE, 'configmaps namespaces secrets serviceaccounts'),
    on('update', CORE, 'secrets serviceaccounts'),
    reviewsTokens,
    reviewsAccess,
    on('list watch', '*', '*'),
    on('create', CORE, 'serviceaccounts/token'),
  ],
  'system:kube-scheduler': [
    recordsEvents,
    on('create', LEASES, 'leases'),
    on('get update', LEASES, 'leases', ['kube-scheduler']),
    on(READ, CORE, 'nodes'),
    on('delete get list watch', CORE, 'pods'),
    on('create', CORE, 'bindings pods/binding'),
    on('patch update', CORE, 'pods/status'),
    on(READ, CORE, 'replicationcontrollers services'),
    on(READ, 'apps extensions', 'replicasets'),
    on(READ, 'apps', 'statefulsets'),
    on(READ, 'policy', 'poddisruptionbudgets'),
    on(READ, CORE, 'persistentvolumeclaims persistentvolumes'),
    reviewsTokens,
    reviewsAccess,
    on(READ, STORAGE, 'csinodes'),
    on(READ, STORAGE, 'volumeattachments'),
    on(READ, CORE, 'namespaces'),
    on(READ, STORAGE, 'csidrivers'),
    on(READ, STORAGE, 'csistoragecapacities'),
    on(READ, DEVICES, 'deviceclasses'),
    on('get list patch update watch', DEVICES, 'resourceclaims'),
    on('get list patch update watch', DEVICES, 'resourceclaims/status'),
    on('get list patch update watch', CORE, 'pods/finalizers'),
    on(READ, DEVICES, 'resourceslices'),
    on('patch update', DEVICES, 'resourceclaims/binding'),
  ],
  'system:volume-scheduler': [
    on('get list patch update watch', CORE, 'persistentvolumes'),
    on(READ, STORAGE, 'storageclasses'),
    on('get list patch update watch', CORE, 'persistentvolumeclaims'),
  ],
  'system:kube-aggregator': [on(READ, CORE, 'endpoints services')],
  'system:kube-dns': [on('list watch', CORE, 'endpoints services')],
});

export const componentRoles = (): RolesByName => ({
  ...controlPlaneRoles(),
  ...nodeRoles(),
  'system:auth-delegator': [reviewsTokens, reviewsAccess],
  'system:certificates.k8s.io:certificatesigningrequests:nodeclient': asksFor('nodeclient'),
  'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient': asksFor('selfnodeclient'),
  'system:certificates.k8s.io:kube-apiserver-client-approver': approves('kube-apiserver-client'),
  'system:certificates.k8s.io:kube-apiserver-client-kubelet-approver': approves(
    'kube-apiserver-client-kubelet',
  ),
  'system:certificates.k8s.io:kubelet-serving-approver': approves('kubelet-serving'),
  'system:certificates.k8s.io:legacy-unknown-approver': approves('legacy-unknown'),
  'system:heapster': [on(READ, CORE, 'events namespaces nodes pods'), on(READ, 'extensions', 'deployments')],
  'system:persistent-volume-provisioner': [
    on('create delete get list watch', CORE, 'persistentvolumes'),
    on('get list update watch', CORE, 'persistentvolumeclaims'),
    on(READ, STORAGE, 'storageclasses'),
    on('watch', CORE, 'events'),
    recordsEvents,
  ],
});
