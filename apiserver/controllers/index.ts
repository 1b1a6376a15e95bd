/** The controllers that a server can run, and what keeps the system's own objects. */
import { clusterRoleAggregation } from './cluster-role-aggregation.js';
import type { Controller } from './controller.js';
import { garbageCollector } from './garbage-collector/index.js';
import { namespaceController } from './namespace/index.js';
import { resourceQuotaController } from './resource-quota.js';
import { rootCaPublisher } from './root-ca-publisher.js';
import { serviceAccountController } from './service-account.js';
import { serviceAccountTokenController, type TokenIssuer } from './service-account-token.js';
import { serviceCidrController } from './service-cidr.js';
import { attributesClassProtection, claimProtection, volumeProtection } from './storage-protection.js';

export { BootstrapObjects } from './bootstrap-objects.js';
export { clusterAuthentication } from './cluster-authentication.js';
export { flowSchemaStatus } from './flow-schema-status.js';
export { leaseLeadership } from './lease-leadership.js';
export { AddressRepair } from './address-repair.js';
export { LeasedServers, type ServerAddress, onlyServer } from './live-servers.js';
export { type Leadership, ControllerManager, alwaysLeader } from './manager.js';
export { SystemObjects } from './system-objects.js';

const needingNothing: readonly Controller[] = [
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

/** What clients know the server by. */
export interface ServerCredentials {
  /** Who has issued the server's certificate, in PEM. */
  readonly authority: string;
  /** Who signs tokens of service accounts. */
  readonly tokens: TokenIssuer;
}

const needingCredentials = ({ authority, tokens }: ServerCredentials): Controller[] => [
  rootCaPublisher(authority),
  serviceAccountTokenController(authority, tokens),
];

/** The controllers of these names, as `controllerNames` lists them; without credentials none that tells of them. */
export function controllersNamed(names: readonly string[], credentials?: ServerCredentials): Controller[] {
  const all = [...needingNothing, ...(credentials === undefined ? [] : needingCredentials(credentials))];
  return all.filter(({ name }) => names.includes(name));
}
