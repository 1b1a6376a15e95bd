/** CSIDriver: what Kubernetes has to know of a storage driver, which it is named after. */
import { isDeepStrictEqual } from 'node:util';
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { duplicate, type FieldError, invalid, notSupported } from '../../field-error.js';
import { bool, describe, int64, list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { FIELD_IMMUTABLE } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';

const STORAGE = 'io.k8s.api.storage.v1';
const DESCRIPTION = 'What Kubernetes has to know of a storage driver, which it is named after.';

const LIFECYCLE_MODES = ['Ephemeral', 'Persistent'];
const GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType'];

const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;
const UPDATE_PERIOD_SECONDS_MIN = 10;

const tokenRequest = once(() =>
  struct(
    `${STORAGE}.TokenRequest`,
    {
      audience: text({ default: '', description: "Whom the token is for; the API server's own when empty." }),
      expirationSeconds: int64({ description: 'How long it is good for.' }),
    },
    { description: "A token of the pod's service account.", required: ['audience'] },
  ),
);

const csiDriverSpec = once(() =>
  struct(
    `${STORAGE}.CSIDriverSpec`,
    {
      attachRequired: bool({
        description: 'Its volumes are attached before they are mounted. Never changes.',
      }),
      podInfoOnMount: bool({ description: 'It is told for which pod it mounts.' }),
      volumeLifecycleModes: list(text(), {
        listType: 'set',
        description: 'Volumes with claims, volumes that go with the pod, or both. Never changes.',
      }),
      storageCapacity: bool({ description: 'It says how much storage is left, which the scheduler heeds.' }),
      fsGroupPolicy: text({ description: "When a volume's files are given to the pod's group." }),
      tokenRequests: list(tokenRequest(), {
        listType: 'atomic',
        description: 'What it gets when it mounts.',
      }),
      requiresRepublish: bool({ description: 'It is asked to mount again and again.' }),
      seLinuxMount: bool({ description: 'It mounts with an SELinux context.' }),
      nodeAllocatableUpdatePeriodSeconds: int64({
        description: 'How often it is asked how many volumes a node can take; never when absent.',
      }),
      serviceAccountTokenInSecrets: bool({
        description: 'It gets its tokens among the secrets, which are not logged.',
      }),
      preventPodSchedulingIfMissing: bool({ description: 'No pods that need it go to nodes without it.' }),
    },
    { description: 'What the driver can do and needs.' },
  ),
);

interface TokenRequest {
  audience?: string;
  expirationSeconds?: number;
}
interface Spec {
  attachRequired?: boolean;
  podInfoOnMount?: boolean;
  volumeLifecycleModes?: string[];
  storageCapacity?: boolean;
  fsGroupPolicy?: string;
  tokenRequests?: TokenRequest[];
  requiresRepublish?: boolean;
  seLinuxMount?: boolean;
  nodeAllocatableUpdatePeriodSeconds?: number;
  serviceAccountTokenInSecrets?: boolean;
}
const specOf = (object: KubeObject): Spec => object['spec'] ?? {};

function defaults(object: KubeObject): void {
  const spec = specOf(object);
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
  spec.volumeLifecycleModes ??= ['Persistent'];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}

function validate(object: KubeObject): FieldError[] {
  const {
    fsGroupPolicy = '',
    tokenRequests = [],
    volumeLifecycleModes = [],
    nodeAllocatableUpdatePeriodSeconds: period,
    serviceAccountTokenInSecrets: inSecrets,
  } = specOf(object);
  const errors: FieldError[] = [];
  if (!GROUP_POLICIES.includes(fsGroupPolicy)) {
    errors.push(notSupported('spec.fsGroupPolicy', fsGroupPolicy, GROUP_POLICIES));
  }
  validateTokenRequests(errors, tokenRequests);
  for (const mode of volumeLifecycleModes) {
    if (!LIFECYCLE_MODES.includes(mode)) {
      errors.push(notSupported('spec.volumeLifecycleModes', mode, LIFECYCLE_MODES));
    }
  }
  if (period !== undefined && period < UPDATE_PERIOD_SECONDS_MIN) {
    const problem = `must be greater than or equal to ${UPDATE_PERIOD_SECONDS_MIN} seconds`;
    errors.push(invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, problem));
  }
  if (inSecrets !== undefined && tokenRequests.length === 0) {
    const problem = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified';
    errors.push(invalid('spec.serviceAccountTokenInSecrets', inSecrets, problem));
  }
  return errors;
}

function validateTokenRequests(errors: FieldError[], requests: readonly TokenRequest[]): void {
  const seen = new Set<string>();
  for (const [i, { audience = '', expirationSeconds: seconds }] of requests.entries()) {
    const path = `spec.tokenRequests[${i}]`;
    if (seen.has(audience)) {
      errors.push(duplicate(`${path}.audience`, audience));
      continue;
    }
    seen.add(audience);
    if (seconds === undefined) continue;
    const refuse = (why: string) =>
      errors.push(invalid(`${path}.expirationSeconds`, seconds, `may not specify a duration ${why}`));
    if (seconds < TOKEN_SECONDS_MIN) refuse('less than 10 minutes');
    if (seconds > TOKEN_SECONDS_MAX) refuse('larger than 2^32 seconds');
  }
}

function validateUpdate(object: KubeObject, oldObject: KubeObject): FieldError[] {
  const [now, old] = [specOf(object), specOf(oldObject)];
  const errors: FieldError[] = [];
  if (now.attachRequired !== old.attachRequired) {
    // Upstream's path.
    errors.push(invalid('spec.attachedRequired', now.attachRequired ?? null, FIELD_IMMUTABLE));
  }
  if (!isDeepStrictEqual(now.volumeLifecycleModes, old.volumeLifecycleModes)) {
    errors.push(invalid('spec.volumeLifecycleModes', now.volumeLifecycleModes ?? null, FIELD_IMMUTABLE));
  }
  return errors;
}

/** Tokens elsewhere than among the secrets end up in logs. */
function warnings(object: KubeObject, old?: KubeObject): string[] {
  const { tokenRequests = [], serviceAccountTokenInSecrets } = specOf(object);
  if (tokenRequests.length === 0 || serviceAccountTokenInSecrets !== undefined) return [];
  if (old !== undefined && isDeepStrictEqual(specOf(old).tokenRequests, tokenRequests)) return [];
  return [
    'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes',
  ];
}

const strategy: Strategy = {
  defaults,
  prepareForUpdate(object, old) {
    // Unlike other kinds, a new one has none.
    if (isDeepStrictEqual(specOf(object), specOf(old))) return;
    object.metadata.generation = (old.metadata.generation ?? 0) + 1;
  },
  validate,
  validateUpdate,
  warnings,
};

const flag = (name: string, description: string, cell: (spec: Spec) => boolean) =>
  column(name, description, (object) => cell(specOf(object)), { type: 'boolean' });

export const csiDrivers: ResourceDefinition = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  listKind: 'CSIDriverList',
  plural: 'csidrivers',
  singular: 'csidriver',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'csidrivers',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${STORAGE}.CSIDriver`,
      { spec: describe(csiDriverSpec(), { default: {} }) },
      { description: DESCRIPTION, required: ['spec'] },
    ),
  ),
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    flag('AttachRequired', 'Volumes are attached first.', (spec) => spec.attachRequired ?? true),
    flag('PodInfoOnMount', 'It is told of the pod.', (spec) => spec.podInfoOnMount ?? false),
    flag('StorageCapacity', 'It says how much is left.', (spec) => spec.storageCapacity ?? false),
    column('TokenRequests', 'Whom its tokens are for.', (object) => {
      const { tokenRequests } = specOf(object);
      return tokenRequests?.map(({ audience = '' }) => audience).join(',') ?? '<unset>';
    }),
    flag('RequiresRepublish', 'It mounts again and again.', (spec) => spec.requiresRepublish ?? false),
    column(
      'Modes',
      'With claims, with the pod, or both.',
      (object) => specOf(object).volumeLifecycleModes?.join(',') || '<none>',
    ),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
};
