/** The roles that people are given: `admin`, `edit` and `view` are made of those that are marked for them. */
import { CORE, on, onPaths, READ, READ_WRITE, type RolesByName, WRITE } from './rbac-rules.js';

/** `aggregate-to-<key>` is the mark. */
const AGGREGATE_TO = 'rbac.authorization.k8s.io/aggregate-to-';
export const marked = (name: string): Record<string, string> => ({ [`${AGGREGATE_TO}${name}`]: 'true' });

/** Names of roles that are made of others, with the marks that they carry themselves. */
export const aggregatedRoles: Readonly<Record<string, Record<string, string>>> = {
  admin: {},
  edit: marked('admin'),
  view: marked('edit'),
};

/** What an aggregated role consists of, without what other aggregated roles bring in. */
export const aggregatedParts = (): RolesByName => ({
  admin: [
    on('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
    on(READ_WRITE, 'rbac.authorization.k8s.io', 'rolebindings roles'),
  ],
  edit: [
    on(READ, CORE, 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
    on('impersonate', CORE, 'serviceaccounts'),
    on(WRITE, CORE, 'pods pods/attach pods/exec pods/portforward pods/proxy'),
    on('create', CORE, 'pods/eviction'),
    on(
      WRITE,
      CORE,
      'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
    ),
    on('create', CORE, 'serviceaccounts/token'),
    on(
      WRITE,
      'apps',
      'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
    ),
    on(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
    on(WRITE, 'batch', 'cronjobs jobs'),
    on(
      WRITE,
      'extensions',
      'daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale',
    ),
    on(WRITE, 'policy', 'poddisruptionbudgets'),
    on(WRITE, 'networking.k8s.io', 'ingresses networkpolicies'),
    on(READ_WRITE, 'coordination.k8s.io', 'leases'),
    on(WRITE, 'resource.k8s.io', 'resourceclaims resourceclaimtemplates'),
  ],
  view: [
    on(
      READ,
      CORE,
      'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
    ),
    on(
      READ,
      CORE,
      'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
    ),
    on(READ, CORE, 'namespaces'),
    on(READ, 'discovery.k8s.io', 'endpointslices'),
    on(
      READ,
      'apps',
      'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status',
    ),
    on(READ, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
    on(READ, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
    on(
      READ,
      'extensions',
      'daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale',
    ),
    on(READ, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
    on(READ, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
    on(READ, 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
  ],
});

const HEALTH = '/healthz /livez';

/** Of everybody, of the administrator, and of who only looks at the server. */
export const userRoles = (): RolesByName => ({
  'cluster-admin': [on('*', '*', '*'), onPaths('*', '*')],
  'system:basic-user': [
    on('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
    on('create', 'authentication.k8s.io', 'selfsubjectreviews'),
  ],
  'system:discovery': [
    onPaths('get', `/api /api/* /apis /apis/* ${HEALTH} /openapi /openapi/* /readyz /version /version/`),
  ],
  'system:monitoring': [
    onPaths('get', '/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*'),
  ],
  'system:public-info-viewer': [onPaths('get', `${HEALTH} /readyz /version /version/`)],
  'system:service-account-issuer-discovery': [
    onPaths(
      'get',
      '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
    ),
  ],
});
