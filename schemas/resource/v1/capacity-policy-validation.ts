/** Rules of how much may be asked for of a device that is shared. */
import { addAll } from '../../add-all.js';
import { type FieldError, forbidden, invalid, required } from '../../field-error.js';
import { compareQuantities, formatQuantity, type Quantity, quantityOf } from '../../meta/quantity.js';
import { validateSet } from './collections.js';
import { CAPACITY_VALID_VALUES_MAX } from './limits.js';
import type { CapacityRequestPolicy, DeviceCapacity } from './resource-slice-schema.js';

type Range = NonNullable<CapacityRequestPolicy['validRange']>;

export function validateCapacity(capacity: DeviceCapacity, isShared: boolean, path: string): FieldError[] {
  const { value, requestPolicy: policy } = capacity;
  if (policy === undefined) return [];
  const field = `${path}.requestPolicy`;
  if (!isShared) return [forbidden(field, 'allowMultipleAllocations must be true')];
  const { validValues = [], validRange } = policy;
  if (validValues.length > 0 && validRange !== undefined) {
    const why =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    return [forbidden(field, why)];
  }
  if (validValues.length > 0) {
    if (policy.default === undefined) {
      return [required(`${field}.default`, 'required when validValues is defined')];
    }
    return validateValues(policy.default, value, validValues, `${field}.validValues`);
  }
  if (validRange === undefined) return [];
  if (policy.default === undefined) {
    return [required(`${field}.default`, 'required when validRange is defined')];
  }
  return validateRange(policy.default, value, validRange, `${field}.validRange`);
}

const compare = (a: string | undefined, b: string | undefined): number =>
  compareQuantities(quantityOf(a), quantityOf(b));
/** Of one that decoding has accepted, which is in its printed form. */
const shown = (amount: string | undefined): string => amount ?? '0';

function validateValues(
  fallback: string,
  max: string | undefined,
  values: readonly string[],
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (let i = 1; i < values.length; i++) {
    if (compare(values[i - 1], values[i]) > 0) {
      errors.push(invalid(`${path}[${i}]`, values[i], 'values must be sorted in ascending order'));
    }
  }
  const rule = (value: string, item: string) =>
    compare(value, max) > 0
      ? [invalid(item, value, `option is larger than capacity value: ${shown(max)}`)]
      : [];
  addAll(
    errors,
    validateSet(values, CAPACITY_VALID_VALUES_MAX, path, rule, (value) => String(wholeOf(quantityOf(value)))),
  );
  if (!values.some((value) => compare(value, fallback) === 0)) {
    errors.push(invalid(path, fallback, 'default value is not valid according to the requestPolicy'));
  }
  return errors;
}

function validateRange(
  fallback: string,
  capacity: string | undefined,
  range: Range,
  path: string,
): FieldError[] {
  const { min, max, step } = range;
  if (min === undefined) return [required(`${path}.min`, 'required when validRange is defined')];
  const errors: FieldError[] = [];
  const refuse = (field: string, value: string, why: string) =>
    errors.push(invalid(`${path}.${field}`, value, why));
  const tooMuch = (what: string) => `${what} is larger than capacity value: ${shown(capacity)}`;
  if (compare(min, capacity) > 0) refuse('min', min, tooMuch('min'));
  if (compare(fallback, min) < 0) refuse('min', fallback, `default is less than min: ${min}`);
  if (max !== undefined) {
    if (compare(min, max) > 0) refuse('max', min, `min is larger than max: ${max}`);
    if (compare(max, capacity) > 0) refuse('max', max, tooMuch('max'));
    if (compare(fallback, max) > 0) refuse('max', fallback, `default is more than max: ${max}`);
  }
  if (step === undefined) return errors;
  const oneStep = formatQuantity(sum(quantityOf(min), quantityOf(step)));
  if (compare(oneStep, capacity) > 0) refuse('step', step, tooMuch(`one step ${oneStep}`));
  for (const value of max === undefined ? [fallback] : [fallback, max]) {
    const width = wholeOf(quantityOf(step));
    const isMultiple = width !== 0n && (wholeOf(quantityOf(value)) - wholeOf(quantityOf(min))) % width === 0n;
    if (!isMultiple) {
      refuse('step', value, `value is not a multiple of a given step (${step}) from (${min})`);
    }
  }
  return errors;
}

function sum(a: Quantity, b: Quantity): Quantity {
  const exponent = Math.min(a.exponent, b.exponent);
  const scaled = ({ value, exponent: of }: Quantity) => value * 10n ** BigInt(of - exponent);
  return { value: scaled(a) + scaled(b), exponent, format: a.format };
}

/** Rounded up. */
function wholeOf({ value, exponent }: Quantity): bigint {
  if (exponent >= 0) return value * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  return value > 0n ? (value + divisor - 1n) / divisor : value / divisor;
}
