/** The built-in resources, in the order discovery lists them. */
import {
  mutatingAdmissionPolicyBindings,
  validatingAdmissionPolicyBindings,
} from './admissionregistration/v1/admission-policy-bindings.js';
import { mutatingAdmissionPolicies } from './admissionregistration/v1/mutating-admission-policy.js';
import { validatingAdmissionPolicies } from './admissionregistration/v1/validating-admission-policy.js';
import {
  mutatingWebhookConfigurations,
  validatingWebhookConfigurations,
} from './admissionregistration/v1/webhook-configurations.js';
import { customResourceDefinitions } from './apiextensions/v1/custom-resource-definition.js';
import { apiServices } from './apiregistration/v1/api-service.js';
import { controllerRevisions } from './apps/v1/controller-revision.js';
import { daemonSets } from './apps/v1/daemon-set.js';
import { deployments } from './apps/v1/deployment.js';
import { replicaSets } from './apps/v1/replica-set.js';
import { statefulSets } from './apps/v1/stateful-set.js';
import { selfSubjectReviews } from './authentication/v1/self-subject-review.js';
import { tokenReviews } from './authentication/v1/token-review.js';
import { selfSubjectAccessReviews } from './authorization/v1/self-subject-access-review.js';
import { selfSubjectRulesReviews } from './authorization/v1/self-subject-rules-review.js';
import { localSubjectAccessReviews, subjectAccessReviews } from './authorization/v1/subject-access-review.js';
import { horizontalPodAutoscalersV1 } from './autoscaling/v1/horizontal-pod-autoscaler.js';
import { horizontalPodAutoscalers } from './autoscaling/v2/horizontal-pod-autoscaler.js';
import { cronJobs } from './batch/v1/cron-job.js';
import { jobs } from './batch/v1/job.js';
import { certificateSigningRequests } from './certificates/v1/certificate-signing-request.js';
import { leases } from './coordination/v1/lease.js';
import { bindings } from './core/v1/binding.js';
import { componentStatuses } from './core/v1/component-status.js';
import { configMaps } from './core/v1/config-map.js';
import { endpoints } from './core/v1/endpoints.js';
import { events } from './core/v1/event.js';
import { limitRanges } from './core/v1/limit-range.js';
import { namespaces } from './core/v1/namespace.js';
import { nodes } from './core/v1/node.js';
import { persistentVolumes } from './core/v1/persistent-volume.js';
import { persistentVolumeClaims } from './core/v1/persistent-volume-claim.js';
import { pods } from './core/v1/pod.js';
import { podTemplates } from './core/v1/pod-template-object.js';
import { replicationControllers } from './core/v1/replication-controller.js';
import { resourceQuotas } from './core/v1/resource-quota.js';
import { secrets } from './core/v1/secret.js';
import { serviceAccounts } from './core/v1/service-account.js';
import { services } from './core/v1/service.js';
import type { ResourceDefinition } from './definition.js';
import { endpointSlices } from './discovery/v1/endpoint-slice.js';
import { eventsV1 } from './events/v1/event.js';
import { ingressClasses } from './networking/v1/ingress-class.js';
import { ingresses } from './networking/v1/ingress.js';
import { ipAddresses } from './networking/v1/ip-address.js';
import { networkPolicies } from './networking/v1/network-policy.js';
import { serviceCidrs } from './networking/v1/service-cidr.js';
import { flowSchemas } from './flowcontrol/v1/flow-schema.js';
import { priorityLevelConfigurations } from './flowcontrol/v1/priority-level.js';
import { runtimeClasses } from './node/v1/runtime-class.js';
import { podDisruptionBudgets } from './policy/v1/pod-disruption-budget.js';
import { clusterRoleBindings, roleBindings } from './rbac/v1/bindings.js';
import { clusterRoles, roles } from './rbac/v1/roles.js';
import { deviceClasses } from './resource/v1/device-class.js';
import { resourceClaims } from './resource/v1/resource-claim.js';
import { resourceClaimTemplates } from './resource/v1/resource-claim-template.js';
import { resourceSlices } from './resource/v1/resource-slice.js';
import { priorityClasses } from './scheduling/v1/priority-class.js';
import { csiDrivers } from './storage/v1/csi-driver.js';
import { csiNodes } from './storage/v1/csi-node.js';
import { csiStorageCapacities } from './storage/v1/csi-storage-capacity.js';
import { storageClasses } from './storage/v1/storage-class.js';
import { volumeAttachments } from './storage/v1/volume-attachment.js';
import { volumeAttributesClasses } from './storage/v1/volume-attributes-class.js';

export const builtinResources: readonly ResourceDefinition[] = [
  bindings,
  componentStatuses,
  configMaps,
  endpoints,
  events,
  limitRanges,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  podTemplates,
  replicationControllers,
  resourceQuotas,
  secrets,
  serviceAccounts,
  services,
  apiServices,
  controllerRevisions,
  daemonSets,
  deployments,
  replicaSets,
  statefulSets,
  eventsV1,
  selfSubjectReviews,
  tokenReviews,
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectRulesReviews,
  subjectAccessReviews,
  horizontalPodAutoscalers,
  horizontalPodAutoscalersV1,
  cronJobs,
  jobs,
  certificateSigningRequests,
  ingressClasses,
  ingresses,
  ipAddresses,
  networkPolicies,
  serviceCidrs,
  podDisruptionBudgets,
  clusterRoleBindings,
  clusterRoles,
  roleBindings,
  roles,
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  storageClasses,
  volumeAttachments,
  volumeAttributesClasses,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  mutatingWebhookConfigurations,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
  validatingWebhookConfigurations,
  customResourceDefinitions,
  priorityClasses,
  leases,
  runtimeClasses,
  endpointSlices,
  deviceClasses,
  resourceClaims,
  resourceClaimTemplates,
  resourceSlices,
  flowSchemas,
  priorityLevelConfigurations,
];
