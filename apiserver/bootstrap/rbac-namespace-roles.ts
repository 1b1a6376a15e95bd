/** Roles within kube-system and kube-public. */
import { CORE, on, type PolicyRule, READ, recordsEvents } from './rbac-rules.js';
import { account, type Subject, user } from './rbac-subjects.js';

export interface NamespaceRole {
  readonly namespace: 'kube-system' | 'kube-public';
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  /** Of its binding, where that is not the role's. */
  readonly bindingName?: string;
  readonly subjects: readonly Subject[];
}

const LEASES = 'coordination.k8s.io';
const LOCK = 'create get list update watch';
/** The lock of a program of which only one works at a time. */
const locksLeases: readonly PolicyRule[] = [on(LOCK, LEASES, 'leases'), on(LOCK, LEASES, 'leasecandidates')];

export const namespaceRoles = (): readonly NamespaceRole[] => [
  {
    namespace: 'kube-public',
    name: 'system:controller:bootstrap-signer',
    rules: [on(READ, CORE, 'configmaps'), on('update', CORE, 'configmaps', ['cluster-info']), recordsEvents],
    subjects: [account('bootstrap-signer')],
  },
  {
    namespace: 'kube-system',
    name: 'extension-apiserver-authentication-reader',
    rules: [on(READ, CORE, 'configmaps', ['extension-apiserver-authentication'])],
    bindingName: 'system::extension-apiserver-authentication-reader',
    subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler')],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-controller-manager',
    rules: locksLeases,
    subjects: [
      user('system:kube-controller-manager'),
      account('kube-controller-manager'),
      account('leader-election-controller'),
    ],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-scheduler',
    rules: locksLeases,
    subjects: [user('system:kube-scheduler'), account('kube-scheduler')],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:bootstrap-signer',
    rules: [on(READ, CORE, 'secrets')],
    subjects: [account('bootstrap-signer')],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:cloud-provider',
    rules: [on('create get list watch', CORE, 'configmaps')],
    subjects: [account('cloud-provider')],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:token-cleaner',
    rules: [on('delete get list watch', CORE, 'secrets'), recordsEvents],
    subjects: [account('token-cleaner')],
  },
];
