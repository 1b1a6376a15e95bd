/** The controllers that a server can run, and what keeps the system's own objects. */
import { clusterRoleAggregation } from './cluster-role-aggregation.js';
import type { Controller } from './controller.js';
import { garbageCollector } from './garbage-collector/index.js';
import { namespaceController } from './namespace/index.js';
import { resourceQuotaController } from './resource-quota.js';
import { serviceAccountController } from './service-account.js';
import { serviceCidrController } from './service-cidr.js';
import { attributesClassProtection, claimProtection, volumeProtection } from './storage-protection.js';

export { BootstrapObjects } from './bootstrap-objects.js';
export { flowSchemaStatus } from './flow-schema-status.js';
export { leaseLeadership } from './lease-leadership.js';
export { AddressRepair } from './address-repair.js';
export { LeasedServers, type ServerAddress, onlyServer } from './live-servers.js';
export { type Leadership, ControllerManager, alwaysLeader } from './manager.js';
export { SystemObjects } from './system-objects.js';

const all: readonly Controller[] = [
  namespaceController,
  serviceAccountController,
  garbageCollector,
  serviceCidrController,
  clusterRoleAggregation,
  resourceQuotaController,
  claimProtection,
  volumeProtection,
  attributesClassProtection,
];

/** The controllers of these names, as `controllerNames` lists them. */
export function controllersNamed(names: readonly string[]): Controller[] {
  return all.filter(({ name }) => names.includes(name));
}
