/** CertificateSigningRequest: asks a signer for a certificate. */
import { ageColumn, column, humanDuration, nameColumn } from '../../columns.js';
import type { KubeObject, Requester, ResourceDefinition, Strategy } from '../../definition.js';
import { keepSpec, keepStatus, startWithoutStatus } from '../../meta/status.js';
import { timeText } from '../../meta/times.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { type ExaminedRequest, examineRequest } from './certificate-request.js';
import {
  certificateSigningRequest,
  type Condition,
  DESCRIPTION,
  specOf,
  statusOf,
} from './certificate-signing-request-schema.js';
import {
  validateSigningRequest,
  validateSigningRequestUpdate,
} from './certificate-signing-request-validation.js';

/** What was found in the requests of objects that are being created: rules do not wait, and reading a request does. */
const examined = new WeakMap<KubeObject, ExaminedRequest>();

/** Organizations of the subject of a request that is being created. */
export const organizationsOf = (object: KubeObject): readonly string[] =>
  examined.get(object)?.organizations ?? [];

async function examine(object: KubeObject): Promise<void> {
  examined.set(object, await examineRequest(Buffer.from(specOf(object).request ?? '', 'base64')));
}

/** Signers act on who asked, so that is not for the asker to say. */
function setRequester(object: KubeObject, { username, uid, groups, extra }: Requester): void {
  const { username: _n, uid: _u, groups: _g, extra: _e, ...spec } = object['spec'] as Record<string, unknown>;
  const more = Object.entries(extra).sort(([a], [b]) => (a < b ? -1 : 1));
  object['spec'] = {
    ...spec,
    ...(username === '' ? {} : { username }),
    ...(uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(more.length === 0 ? {} : { extra: Object.fromEntries(more) }),
  };
}

const strategy: Strategy = {
  prepareForCreate(object, requester) {
    setRequester(object, requester);
    startWithoutStatus(object);
    return examine(object);
  },
  prepareForUpdate(object, old) {
    keepSpec(object, old);
    keepStatus(object, old);
  },
  validateCreate: (object) => validateSigningRequest(object, examined.get(object)?.problem),
  validateUpdate: (object, old) => validateSigningRequestUpdate(object, old, {}),
};

/** Sets times that are absent; a condition that is as it was keeps the time of its last transition. */
function withTimes(
  conditions: readonly Condition[],
  old: readonly Condition[] = [],
  now: string,
): readonly Condition[] {
  const transitions = new Map<string, string>();
  for (const { type, status, lastTransitionTime } of old) {
    const state = `${status} ${type}`;
    if (lastTransitionTime && !transitions.has(state)) transitions.set(state, lastTransitionTime);
  }
  return conditions.map((condition) => ({
    ...condition,
    lastUpdateTime: condition.lastUpdateTime ?? now,
    lastTransitionTime:
      condition.lastTransitionTime ?? transitions.get(`${condition.status} ${condition.type}`) ?? now,
  }));
}

/**
 * Approving is not for who signs: approvals stay as they were, unless there are more or fewer of them, which the rules
 * refuse.
 */
function withOldApprovals(
  conditions: readonly Condition[],
  old: readonly Condition[] = [],
): readonly Condition[] {
  const kept = [...conditions];
  for (const approval of ['Approved', 'Denied']) {
    const before = old.filter(({ type }) => type === approval);
    const places = [...kept.keys()].filter((i) => kept[i]?.type === approval);
    if (places.length !== before.length) continue;
    for (const [n, condition] of before.entries()) kept[places[n]!] = condition;
  }
  return kept;
}

const statusStrategy: Strategy = {
  prepareForUpdate(object, old, now) {
    keepSpec(object, old);
    const { conditions } = statusOf(object);
    const { conditions: oldConditions } = statusOf(old);
    if (conditions === undefined) return;
    const kept = withOldApprovals(conditions, oldConditions);
    object['status'] = {
      ...statusOf(object),
      conditions: withTimes(kept, oldConditions, timeText(now)),
    };
  },
  validateUpdate: (object, old) => validateSigningRequestUpdate(object, old, { certificate: true }),
};

const approvalStrategy: Strategy = {
  prepareForUpdate(object, old, now) {
    keepSpec(object, old);
    const { conditions } = statusOf(object);
    const { conditions: oldConditions, ...rest } = statusOf(old);
    object['status'] =
      conditions === undefined
        ? rest
        : { conditions: withTimes(conditions, oldConditions, timeText(now)), ...rest };
  },
  validateUpdate: (object, old) => validateSigningRequestUpdate(object, old, { approval: true }),
};

/** `Pending`, or what was decided, followed by what came of it: `Approved,Issued`. */
function conditionCell(object: KubeObject): string {
  const { conditions = [], certificate = '' } = statusOf(object);
  const has = (wanted: string): boolean => conditions.some(({ type }) => type === wanted);
  const decided = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return `${decided}${has('Failed') ? ',Failed' : ''}${certificate === '' ? '' : ',Issued'}`;
}

function durationCell(object: KubeObject): string {
  const { expirationSeconds } = specOf(object);
  return expirationSeconds === undefined ? '<none>' : humanDuration(expirationSeconds * 1000);
}

export const certificateSigningRequests: ResourceDefinition = {
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  listKind: 'CertificateSigningRequestList',
  plural: 'certificatesigningrequests',
  singular: 'certificatesigningrequest',
  shortNames: ['csr'],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'certificatesigningrequests',
  description: DESCRIPTION,
  schema: certificateSigningRequest,
  strategy,
  subresources: [
    {
      name: 'approval',
      verbs: SUBRESOURCE_VERBS,
      strategy: approvalStrategy,
      resetFields: ['spec', 'status.certificate'],
    },
    {
      name: 'status',
      verbs: SUBRESOURCE_VERBS,
      strategy: statusStrategy,
      resetFields: ['spec', 'status.conditions'],
    },
  ],
  resetFields: ['spec', 'status'],
  columns: [
    nameColumn,
    ageColumn,
    column('SignerName', 'Who is asked to sign.', (object) => specOf(object).signerName || '<none>'),
    column('Requestor', 'Who made the request.', (object) => specOf(object).username ?? ''),
    column('RequestedDuration', 'How long the certificate should be good for.', durationCell),
    column('Condition', 'What was decided, and whether it was signed.', conditionCell),
  ],
  selectableFields: { 'spec.signerName': (object) => specOf(object).signerName ?? '' },
  ownFieldLabels: true,
  validateName: nameIs.pathSegment,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
