/** ServiceCIDR: a range out of which services get their addresses. */
import { addAll } from '../../add-all.js';
import { ageColumn, column, nameColumn } from '../../columns.js';
import { blockOf, validateCanonicalCidr } from '../../core/v1/addresses.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, invalid, required } from '../../field-error.js';
import { describe, list, once, struct, text } from '../../fields.js';
import { keepAllButStatus } from '../../meta/status.js';
import { condition, kubeObject } from '../../meta/v1.js';
import { FIELD_IMMUTABLE } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';

const NETWORKING = 'io.k8s.api.networking.v1';
const DESCRIPTION = 'A range out of which services get their addresses.';
const FIELD = 'spec.cidrs';
/** One of each family. */
const CIDRS_MAX = 2;

const serviceCidrSpec = once(() =>
  struct(
    `${NETWORKING}.ServiceCIDRSpec`,
    {
      cidrs: list(text(), {
        listType: 'atomic',
        description: 'One of IPv4, of IPv6, or one of each. Never changes, but a second one may come.',
      }),
    },
    { description: 'The range.' },
  ),
);

const serviceCidrStatus = once(() =>
  struct(
    `${NETWORKING}.ServiceCIDRStatus`,
    {
      conditions: list(condition(), {
        listType: 'map',
        listMapKeys: ['type'],
        patchStrategy: 'merge',
        patchMergeKey: 'type',
      }),
    },
    { description: 'Whether addresses are given out of it.' },
  ),
);

export const cidrsOf = (object: KubeObject): string[] =>
  (object['spec'] as { cidrs?: string[] } | undefined)?.cidrs ?? [];

interface Condition {
  readonly type?: string;
  readonly status?: string;
}

/** Whether addresses are given out of it: they are where nobody has said anything. */
export function isReady(object: KubeObject): boolean {
  const { conditions = [] } = (object['status'] ?? {}) as { conditions?: readonly Condition[] };
  const ready = conditions.find(({ type }) => type === 'Ready');
  return ready === undefined || ready.status === 'True';
}

function validateCidrs(cidrs: readonly string[]): FieldError[] {
  if (cidrs.length === 0) return [required(FIELD, 'at least one CIDR required')];
  if (cidrs.length > CIDRS_MAX) {
    return [invalid(FIELD, { CIDRs: cidrs }, 'may only hold up to 2 values')];
  }
  const errors: FieldError[] = [];
  for (const [i, cidr] of cidrs.entries()) addAll(errors, validateCanonicalCidr(cidr, `${FIELD}[${i}]`));
  const [first, second] = cidrs.map((cidr) => blockOf(cidr)?.octets.length);
  if (first !== undefined && first === second) {
    const problem =
      'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    errors.push(invalid(FIELD, cidrs, problem));
  }
  return errors;
}

function validateUpdate(object: KubeObject, oldObject: KubeObject): FieldError[] {
  const [cidrs, old] = [cidrsOf(object), cidrsOf(oldObject)];
  const grows = old.length === 1 && cidrs.length === 2;
  if (cidrs.length !== old.length && !grows) {
    return [invalid(FIELD, cidrs.length === 0 ? null : cidrs, FIELD_IMMUTABLE)];
  }
  const errors: FieldError[] = [];
  for (const [i, cidr] of old.entries()) {
    if (cidrs[i] !== cidr) errors.push(invalid(`${FIELD}[${i}]`, cidrs[i], FIELD_IMMUTABLE));
  }
  return grows ? [...errors, ...validateCidrs(cidrs)] : errors;
}

const strategy: Strategy = {
  validateCreate: (object) => validateCidrs(cidrsOf(object)),
  validateUpdate,
};

const statusStrategy: Strategy = {
  prepareForUpdate: keepAllButStatus,
};

export const serviceCidrs: ResourceDefinition = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  listKind: 'ServiceCIDRList',
  plural: 'servicecidrs',
  singular: 'servicecidr',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'servicecidrs',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${NETWORKING}.ServiceCIDR`,
      {
        spec: describe(serviceCidrSpec(), { default: {} }),
        status: describe(serviceCidrStatus(), { default: {} }),
      },
      { description: DESCRIPTION },
    ),
  ),
  strategy,
  // Upstream names the group of its reset fields wrongly, so writers own what is then reset.
  subresources: [{ name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy, resetFields: [] }],
  resetFields: [],
  columns: [nameColumn, column('CIDRs', 'The range.', (object) => cidrsOf(object).join(',')), ageColumn],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
