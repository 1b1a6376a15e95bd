/** Rules of PriorityLevelConfiguration. */
import { addAll } from '../../add-all.js';
import { internalStruct } from '../../core/v1/internal-form.js';
import type { KubeObject } from '../../definition.js';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { EXEMPT, mandatoryPriorityLevels } from './mandatory.js';
import {
  type Exempt,
  type Limited,
  type LimitResponse,
  type PriorityLevelSpec,
  priorityLevelSpec,
  type Queuing,
  specOf,
} from './priority-level-schema.js';

const QUEUES_MAX = 10_000_000;
/** Of the hash of a flow, from which its queues are drawn. */
const HASH_BITS_MAX = 60;
/** Between versions of the API upstream keeps this for itself. */
const ROUND_TRIP_ANNOTATION = 'flowcontrol.k8s.io/preserve-zero-concurrency-shares';

export function validatePriorityLevel(object: KubeObject): FieldError[] {
  const { name = '', annotations = {} } = object.metadata;
  const spec = specOf(object);
  const errors: FieldError[] = [];
  if (Object.hasOwn(annotations, ROUND_TRIP_ANNOTATION)) {
    const why = `annotation '${ROUND_TRIP_ANNOTATION}' is forbidden`;
    errors.push(forbidden('metadata.annotations', why));
  }
  addAll(errors, validateSpec(spec, name));
  const fixed = mandatoryPriorityLevels.get(name);
  if (fixed !== undefined) addAll(errors, validateFixed(name, spec, fixed));
  return errors;
}

const internalSpec = (spec: PriorityLevelSpec) => internalStruct(priorityLevelSpec(), { ...spec });

function validateFixed(name: string, spec: PriorityLevelSpec, fixed: PriorityLevelSpec): FieldError[] {
  const compared = ({ exempt, ...rest }: PriorityLevelSpec): string =>
    JSON.stringify(internalSpec(name === EXEMPT ? rest : { ...rest, ...(exempt && { exempt }) }));
  if (compared(spec) === compared(fixed)) return [];
  const but = name === EXEMPT ? " except the 'spec.exempt' field" : '';
  return [invalid('spec', internalSpec(spec), `spec of '${name}'${but} must equal the fixed value`)];
}

function validateSpec({ type = '', limited, exempt }: PriorityLevelSpec, name: string): FieldError[] {
  const errors: FieldError[] = [];
  if ((name === EXEMPT) !== (type === 'Exempt')) {
    errors.push(invalid('spec.type', type, "type must be 'Exempt' if and only if name is 'exempt'"));
  }
  if (type === 'Exempt') {
    if (limited !== undefined) {
      errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'));
    }
    addAll(errors, validateExempt(exempt ?? {}));
  } else if (type === 'Limited') {
    if (exempt !== undefined) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'));
    if (limited === undefined) {
      errors.push(required('spec.limited', 'must not be empty when type is Limited'));
    } else addAll(errors, validateLimited(limited));
  } else {
    errors.push(notSupported('spec.type', type, ['Exempt', 'Limited']));
  }
  return errors;
}

function validateShares(errors: FieldError[], path: string, shares: number | undefined): void {
  if (shares !== undefined && shares < 0) {
    errors.push(invalid(`${path}.nominalConcurrencyShares`, shares, 'must be a non-negative integer'));
  }
}

function validateLendable(errors: FieldError[], path: string, percent: number | undefined): void {
  if (percent !== undefined && (percent < 0 || percent > 100)) {
    errors.push(invalid(`${path}.lendablePercent`, percent, 'must be between 0 and 100, inclusive'));
  }
}

function validateExempt({ nominalConcurrencyShares, lendablePercent }: Exempt): FieldError[] {
  const errors: FieldError[] = [];
  validateShares(errors, 'spec.exempt', nominalConcurrencyShares);
  validateLendable(errors, 'spec.exempt', lendablePercent);
  return errors;
}

function validateLimited(limited: Limited): FieldError[] {
  const { nominalConcurrencyShares, limitResponse, lendablePercent, borrowingLimitPercent } = limited;
  const errors: FieldError[] = [];
  validateShares(errors, 'spec.limited', nominalConcurrencyShares);
  addAll(errors, validateResponse(limitResponse ?? {}));
  validateLendable(errors, 'spec.limited', lendablePercent);
  if (borrowingLimitPercent !== undefined && borrowingLimitPercent < 0) {
    const why = 'if specified, must be a non-negative integer';
    errors.push(invalid('spec.limited.borrowingLimitPercent', borrowingLimitPercent, why));
  }
  return errors;
}

function validateResponse({ type = '', queuing }: LimitResponse): FieldError[] {
  const path = 'spec.limited.limitResponse';
  switch (type) {
    case 'Reject': {
      if (queuing === undefined) return [];
      return [forbidden(`${path}.queuing`, 'must be nil if limited.limitResponse.type is not Limited')];
    }
    case 'Queue': {
      if (queuing !== undefined) return validateQueuing(queuing, `${path}.queuing`);
      const why = 'must not be empty if limited.limitResponse.type is Limited';
      return [required(`${path}.queuing`, why)];
    }
    default:
      return [notSupported(`${path}.type`, type, ['Queue', 'Reject'])];
  }
}

function validateQueuing(queuing: Queuing, path: string): FieldError[] {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  const errors: FieldError[] = [];
  if (queueLengthLimit <= 0) {
    errors.push(invalid(`${path}.queueLengthLimit`, queueLengthLimit, 'must be positive'));
  }
  if (queues <= 0) errors.push(invalid(`${path}.queues`, queues, 'must be positive'));
  else if (queues > QUEUES_MAX) {
    errors.push(invalid(`${path}.queues`, queues, `must not be greater than ${QUEUES_MAX}`));
  }
  const handProblem = handSizeProblem(queues, handSize);
  if (handProblem !== undefined) errors.push(invalid(`${path}.handSize`, handSize, handProblem));
  return errors;
}

function handSizeProblem(queues: number, handSize: number): string | undefined {
  if (handSize <= 0) return 'must be positive';
  if (handSize > queues) return `should not be greater than queues (${queues})`;
  if (Math.ceil(Math.log2(queues) * handSize) <= HASH_BITS_MAX) return undefined;
  const bits = `required entropy bits of deckSize ${queues} and handSize ${handSize}`;
  return `${bits} should not be greater than ${HASH_BITS_MAX}`;
}
