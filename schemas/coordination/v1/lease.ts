/** Lease: who holds something and since when. Leader election and node heartbeats run on it. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, forbidden, invalid, notSupported } from '../../field-error.js';
import { describe, int32, once, struct, text } from '../../fields.js';
import { kubeObject, microTime } from '../../meta/v1.js';
import { NOT_NEGATIVE } from '../../validation/metadata.js';
import { nameIs, qualifiedName } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';

/** The strategies of coordinated leader election that have no domain in front. */
const STRATEGIES = ['OldestEmulationVersion'];

const leaseSpec = once(() =>
  struct(
    'io.k8s.api.coordination.v1.LeaseSpec',
    {
      holderIdentity: text({ description: 'Who holds it; empty when nobody does.' }),
      leaseDurationSeconds: int32({ description: 'How long others wait after renewTime before taking it.' }),
      acquireTime: microTime(),
      renewTime: microTime(),
      leaseTransitions: int32({ description: 'How often the holder changed.' }),
      strategy: text({ description: 'How a coordinator picks the holder.' }),
      preferredHolder: text({ description: 'Who should get it next, under a strategy.' }),
    },
    { description: 'The holder and the times.' },
  ),
);

interface Spec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly leaseTransitions?: number;
  readonly strategy?: string;
  readonly preferredHolder?: string;
}
const specOf = (lease: KubeObject): Spec => lease['spec'] ?? {};

function validate(lease: KubeObject): FieldError[] {
  const {
    leaseDurationSeconds: duration,
    leaseTransitions: transitions,
    strategy,
    preferredHolder,
  } = specOf(lease);
  const errors: FieldError[] = [];
  if (duration !== undefined && duration <= 0) {
    errors.push(invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
  }
  if (transitions !== undefined && transitions < 0) {
    errors.push(invalid('spec.leaseTransitions', transitions, NOT_NEGATIVE));
  }
  if (strategy !== undefined) errors.push(...validateStrategy(strategy));
  if (preferredHolder && !strategy) {
    errors.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
  }
  return errors;
}

function validateStrategy(strategy: string): FieldError[] {
  // The path is upstream's slip.
  const field = 'spec.strategy.strategy';
  if (strategy.includes('/'))
    return qualifiedName(strategy).map((problem) => invalid(field, strategy, problem));
  return STRATEGIES.includes(strategy) ? [] : [notSupported(field, strategy, STRATEGIES)];
}

const strategy: Strategy = { validate };

export const leases: ResourceDefinition = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  listKind: 'LeaseList',
  plural: 'leases',
  singular: 'lease',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'leases',
  description: 'Says who holds something, so that only one does.',
  schema: once(() =>
    kubeObject(
      'io.k8s.api.coordination.v1.Lease',
      { spec: describe(leaseSpec(), { default: {} }) },
      { description: 'Says who holds something, so that only one does.' },
    ),
  ),
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    column('Holder', 'Who holds it.', (lease) => specOf(lease).holderIdentity ?? ''),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: true,
};
