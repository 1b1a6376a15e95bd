/** Rules of limit ranges: known types and resources, and bounds that leave room between them. */
import { duplicate, type FieldError, forbidden, invalid, required } from '../../field-error.js';
import { compareQuantities, milliValue, parseQuantity, quantityOf } from '../../meta/quantity.js';
import { invalidEach } from '../../validation/metadata.js';
import { qualifiedName } from '../../validation/names.js';
import type { LimitRangeItem } from './limit-range.js';
import {
  containerResourceName,
  isOvercommitAllowed,
  validateResourceName,
} from './pod-resource-validation.js';

const TYPES = new Set(['Pod', 'Container', 'PersistentVolumeClaim']);
const ONE = parseQuantity('1');
/** Above this Go cannot hold the thousandths of an amount, so whole units are compared. */
const MILLI_MAX = 9_223_372_036_854_775n;

/** Errors of `spec.limits`. */
export function validateLimits(limits: readonly LimitRangeItem[]): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, item] of limits.entries()) {
    const { type = '' } = item;
    const path = `spec.limits[${i}]`;
    validateType(errors, type, `${path}.type`);
    if (seen.has(type)) errors.push(duplicate(`${path}.type`, type));
    seen.add(type);
    validateItem(errors, item, path);
  }
  return errors;
}

function validateType(errors: FieldError[], type: string, field: string): void {
  const problems = qualifiedName(type);
  invalidEach(errors, field, type, problems);
  if (problems.length === 0 && !type.includes('/') && !TYPES.has(type)) {
    errors.push(invalid(field, type, 'must be a standard limit type or fully qualified'));
  }
}

function validateItem(errors: FieldError[], item: LimitRangeItem, path: string): void {
  const { type = '', max = {}, min = {}, maxLimitRequestRatio = {} } = item;
  const isPod = type === 'Pod';
  const nameRule = isPod || type === 'Container' ? containerResourceName : validateResourceName;
  const names = new Set<string>();
  const check = (list: 'default' | 'defaultRequest' | 'max' | 'maxLimitRequestRatio' | 'min') => {
    for (const name of Object.keys(item[list] ?? {})) {
      nameRule(errors, name, `${path}.${list}[${name}]`);
      names.add(name);
    }
  };
  check('max');
  check('min');
  for (const list of ['default', 'defaultRequest'] as const) {
    if (!isPod) check(list);
    else if (Object.keys(item[list] ?? {}).length > 0) {
      errors.push(forbidden(`${path}.${list}`, "may not be specified when `type` is 'Pod'"));
    }
  }
  if (type === 'PersistentVolumeClaim' && !Object.hasOwn(min, 'storage') && !Object.hasOwn(max, 'storage')) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided';
    errors.push(required(`${path}.limits`, detail));
  }
  check('maxLimitRequestRatio');
  for (const name of names) {
    validateOrder(errors, item, name, path);
    const ratio = amountOf(maxLimitRequestRatio, name);
    if (ratio !== undefined) {
      validateRatio(
        errors,
        ratio,
        amountOf(min, name),
        amountOf(max, name),
        `${path}.maxLimitRequestRatio[${name}]`,
      );
    }
    validateEqualDefaults(errors, item, name, path);
  }
}

const amountOf = (list: Readonly<Record<string, string>> | undefined, name: string): string | undefined =>
  list !== undefined && Object.hasOwn(list, name) ? list[name] : undefined;

const isMore = (a: string, b: string): boolean => compareQuantities(quantityOf(a), quantityOf(b)) > 0;

/** Each of min ≤ default request ≤ default ≤ max, as far as they are given. Upstream quotes one or the other of two. */
function validateOrder(errors: FieldError[], item: LimitRangeItem, name: string, path: string): void {
  const isPod = item.type === 'Pod';
  const min = amountOf(item.min, name);
  const max = amountOf(item.max, name);
  const request = isPod ? undefined : amountOf(item.defaultRequest, name);
  const limit = isPod ? undefined : amountOf(item.default, name);
  const rule = (
    [low, lowName]: readonly [string | undefined, string],
    [high, highName]: readonly [string | undefined, string],
    list: string,
    shown: string | undefined,
  ) => {
    if (low === undefined || high === undefined || !isMore(low, high)) return;
    const problem = `${lowName} value ${low} is greater than ${highName} value ${high}`;
    errors.push(invalid(`${path}.${list}[${name}]`, shown, problem));
  };
  rule([min, 'min'], [max, 'max'], 'min', min);
  rule([min, 'min'], [request, 'default request'], 'defaultRequest', request);
  rule([request, 'default request'], [max, 'max'], 'defaultRequest', request);
  rule([request, 'default request'], [limit, 'default limit'], 'defaultRequest', request);
  rule([min, 'min'], [limit, 'default'], 'default', min);
  rule([limit, 'default'], [max, 'max'], 'default', max);
}

function validateRatio(
  errors: FieldError[],
  ratio: string,
  min: string | undefined,
  max: string | undefined,
  field: string,
): void {
  const amount = quantityOf(ratio);
  if (typeof ONE !== 'string' && compareQuantities(amount, ONE) < 0) {
    errors.push(invalid(field, ratio, `ratio ${ratio} is less than 1`));
  }
  if (min === undefined || max === undefined) return;
  const [asked, low, high] = comparable([
    milliValue(amount),
    milliValue(quantityOf(min)),
    milliValue(quantityOf(max)),
  ]);
  const most = high / low;
  if (asked > most) {
    errors.push(invalid(field, ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`));
  }
}

const whole = (milli: bigint): bigint => (milli + 999n) / 1000n;

/** A ratio and two amounts, in thousandths, as the numbers that upstream divides: whole units where one is very large. */
function comparable([ratio, min, max]: readonly [bigint, bigint, bigint]): [number, number, number] {
  const isSmall = [ratio, min, max].every((milli) => whole(milli) < MILLI_MAX);
  if (isSmall) return [Number(ratio) / 1000, Number(min), Number(max)];
  return [Number(whole(ratio)), Number(whole(min)), Number(whole(max))];
}

/** What cannot be shared is limited to what is requested. */
function validateEqualDefaults(errors: FieldError[], item: LimitRangeItem, name: string, path: string): void {
  if (item.type === 'Pod' || isOvercommitAllowed(name)) return;
  const limit = amountOf(item.default, name);
  const request = amountOf(item.defaultRequest, name);
  if (limit === undefined || request === undefined) return;
  if (compareQuantities(quantityOf(limit), quantityOf(request)) === 0) return;
  const problem = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
  errors.push(invalid(`${path}.defaultRequest[${name}]`, request, problem));
}
