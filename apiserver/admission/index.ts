/** The admission plugins that are always on, in the order in which they run. */
import { certificateSubjectRestriction } from './certificate-subject-restriction.js';
import { defaultIngressClass } from './default-ingress-class.js';
import { defaultStorageClass } from './default-storage-class.js';
import { defaultTolerationSeconds } from './default-toleration-seconds.js';
import { limitRanger } from './limit-ranger.js';
import type { Registries } from './lookup.js';
import { deviceAdminAccess } from './device-admin-access.js';
import { namespaceLifecycle } from './namespace-lifecycle.js';
import type { AdmissionPlugin } from './plugin.js';
import { persistentVolumeClaimResize } from './persistent-volume-claim-resize.js';
import { priority } from './priority.js';
import { resourceQuota } from './resource-quota.js';
import { runtimeClass } from './runtime-class.js';
import { serviceAccount } from './service-account.js';
import { storageObjectInUseProtection } from './storage-object-in-use-protection.js';
import { taintNodesByCondition } from './taint-nodes-by-condition.js';

/** `registries` is read when a request comes, so its table may be filled later. */
export function defaultAdmission(registries: Registries): AdmissionPlugin[] {
  return [
    namespaceLifecycle(registries),
    limitRanger(registries),
    serviceAccount(registries),
    taintNodesByCondition,
    priority(registries),
    defaultTolerationSeconds,
    defaultStorageClass(registries),
    storageObjectInUseProtection,
    persistentVolumeClaimResize(registries),
    runtimeClass(registries),
    certificateSubjectRestriction,
    defaultIngressClass(registries),
    deviceAdminAccess(registries),
    // Last, so that what others refuse costs nothing.
    resourceQuota(registries),
  ];
}
