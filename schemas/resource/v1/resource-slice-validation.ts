/** Rules of ResourceSlice. */
import { addAll } from '../../add-all.js';
import { internalStruct } from '../../core/v1/internal-form.js';
import { type FieldError, invalid, required, tooLong } from '../../field-error.js';
import { FIELD_IMMUTABLE } from '../../validation/metadata.js';
import { byteLength } from '../../validation/names.js';
import { validateCapacity } from './capacity-policy-validation.js';
import { validateBinding } from './claim-status-validation.js';
import { validateItems, validateMap, validateSet } from './collections.js';
import { validateTaint } from './device-claim-validation.js';
import { validateDevicePlace, validatePlace } from './device-place-validation.js';
import {
  ATTRIBUTE_DOMAIN_BYTES_MAX,
  ATTRIBUTE_ID_BYTES_MAX,
  ATTRIBUTE_VALUE_BYTES_MAX,
  ATTRIBUTES_AND_CAPACITIES_MAX,
  COUNTER_CONSUMPTIONS_MAX,
  COUNTER_SETS_MAX,
  COUNTERS_MAX,
  DEVICE_TAINTS_MAX,
  SLICE_DEVICES_MAX,
  SLICE_DEVICES_WITH_MORE_MAX,
} from './limits.js';
import { validateAttributeName, validateDriver, validateLabelLike, validatePool } from './name-validation.js';
import {
  type CounterConsumption,
  type CounterSet,
  type Device,
  type DeviceAttribute,
  deviceAttribute,
  type ResourceSliceSpec,
} from './resource-slice-schema.js';

const ATTRIBUTE_NAME_BYTES_MAX = ATTRIBUTE_DOMAIN_BYTES_MAX + 1 + ATTRIBUTE_ID_BYTES_MAX;
const COUNTER_NAME_BYTES_MAX = 63;
const UNLIMITED = Number.POSITIVE_INFINITY;

export function validateSlice(spec: ResourceSliceSpec, old: ResourceSliceSpec | undefined): FieldError[] {
  const { driver = '', pool = {}, devices, sharedCounters } = spec;
  const errors = [...validateDriver(driver, 'spec.driver'), ...validateResourcePool(pool)];
  if (old !== undefined) addAll(errors, validateKept(spec, old));
  addAll(errors, validatePlace(spec));
  if (sharedCounters !== undefined && devices !== undefined) {
    errors.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  }
  const hasMore = devices?.some(
    ({ taints = [], consumesCounters = [] }) => taints.length > 0 || consumesCounters.length > 0,
  );
  const taintsBefore = new Map(
    (old?.devices ?? []).map(({ name, taints }) => [name, JSON.stringify(taints)]),
  );
  addAll(
    errors,
    validateSet(
      devices,
      hasMore ? SLICE_DEVICES_WITH_MORE_MAX : SLICE_DEVICES_MAX,
      'spec.devices',
      (device, path) =>
        validateDevice(device, path, {
          placed: spec.perDeviceNodeSelection === true,
          sameTaints:
            taintsBefore.has(device.name) && taintsBefore.get(device.name) === JSON.stringify(device.taints),
        }),
      ({ name = '' }) => name,
    ),
    validateSet(
      sharedCounters,
      COUNTER_SETS_MAX,
      'spec.sharedCounters',
      validateCounterSet,
      ({ name = '' }) => name,
    ),
  );
  return errors;
}

function validateResourcePool(pool: NonNullable<ResourceSliceSpec['pool']>): FieldError[] {
  const { name = '', generation = 0, resourceSliceCount = 0 } = pool;
  const errors = validatePool(name, 'spec.pool.name');
  if (resourceSliceCount <= 0) {
    errors.push(invalid('spec.pool.resourceSliceCount', resourceSliceCount, 'must be greater than zero'));
  }
  if (generation < 0) {
    errors.push(invalid('spec.pool.generation', generation, 'must be greater than or equal to zero'));
  }
  return errors;
}

function validateKept(spec: ResourceSliceSpec, old: ResourceSliceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const keep = (field: string, now: string | undefined, before: string | undefined) => {
    if (now !== before) errors.push(invalid(`spec.${field}`, now, FIELD_IMMUTABLE));
  };
  keep('pool.name', spec.pool?.name, old.pool?.name);
  keep('driver', spec.driver, old.driver);
  keep('nodeName', spec.nodeName, old.nodeName);
  return errors;
}

function validateDevice(
  device: Device,
  path: string,
  { placed, sameTaints }: { readonly placed: boolean; readonly sameTaints: boolean },
): FieldError[] {
  const { name = '', attributes, capacity, taints, consumesCounters } = device;
  const errors = validateLabelLike(name, `${path}.name`);
  const count = Object.keys(attributes ?? {}).length + Object.keys(capacity ?? {}).length;
  if (count > ATTRIBUTES_AND_CAPACITIES_MAX) {
    const why = `the total number of attributes and capacities must not exceed ${ATTRIBUTES_AND_CAPACITIES_MAX}`;
    errors.push(invalid(path, count, why));
  }
  const isShared = device.allowMultipleAllocations === true;
  addAll(
    errors,
    validateMap(attributes, UNLIMITED, ATTRIBUTE_NAME_BYTES_MAX, `${path}.attributes`, {
      key: validateAttributeName,
      value: validateAttribute,
    }),
    validateMap(capacity, UNLIMITED, ATTRIBUTE_NAME_BYTES_MAX, `${path}.capacity`, {
      key: validateAttributeName,
      value: (amount, field) => validateCapacity(amount, isShared, field),
    }),
    sameTaints ? [] : validateItems(taints, DEVICE_TAINTS_MAX, `${path}.taints`, validateTaint),
    validateSet(
      consumesCounters,
      COUNTER_CONSUMPTIONS_MAX,
      `${path}.consumesCounters`,
      validateConsumption,
      ({ counterSet = '' }) => counterSet,
    ),
    validateDevicePlace(device, placed, path),
    validateBinding(device, path),
  );
  return errors;
}

const IDENTIFIER = '(?:0|[1-9]\\d*)';
const PRE_RELEASE = `(?:${IDENTIFIER}|\\d*[a-zA-Z-][0-9a-zA-Z-]*)`;
const BUILD = '[0-9a-zA-Z-]+';
const SEMANTIC_VERSION = new RegExp(
  `^${IDENTIFIER}\\.${IDENTIFIER}\\.${IDENTIFIER}(?:-${PRE_RELEASE}(?:\\.${PRE_RELEASE})*)?(?:\\+${BUILD}(?:\\.${BUILD})*)?$`,
);

const isTooLong = (value: string | undefined): boolean => byteLength(value ?? '') > ATTRIBUTE_VALUE_BYTES_MAX;

function validateAttribute(attribute: DeviceAttribute, path: string): FieldError[] {
  const { string, version } = attribute;
  const errors: FieldError[] = [];
  if (isTooLong(string)) errors.push(tooLong(`${path}.string`, ATTRIBUTE_VALUE_BYTES_MAX));
  // Of one that is too long nothing else is said: its digits would make the pattern slow.
  if (isTooLong(version)) errors.push(tooLong(`${path}.version`, ATTRIBUTE_VALUE_BYTES_MAX));
  else if (version !== undefined && !SEMANTIC_VERSION.test(version)) {
    errors.push(
      invalid(`${path}.version`, version, 'must be a string compatible with semver.org spec 2.0.0'),
    );
  }
  const set = [attribute.bool, attribute.int, string, version].filter((value) => value !== undefined);
  if (set.length !== 1) {
    const shown = set.length === 0 ? '' : internalAttribute(attribute);
    errors.push(invalid(path, shown, 'exactly one value must be specified'));
  }
  return errors;
}

/** Upstream's own names. */
function internalAttribute(attribute: DeviceAttribute): Record<string, unknown> {
  const printed = internalStruct(deviceAttribute(), attribute);
  return Object.fromEntries(
    Object.entries(printed).map(([name, value]) => [
      name.endsWith('s') ? `${name.slice(0, -1)}Values` : `${name}Value`,
      value,
    ]),
  );
}

const validateCounters = (counters: CounterSet['counters'], path: string): FieldError[] =>
  Object.keys(counters ?? {}).length === 0
    ? [required(path)]
    : validateMap(counters, COUNTERS_MAX, COUNTER_NAME_BYTES_MAX, path, {
        key: validateLabelLike,
        value: () => [],
      });

function validateCounterSet({ name = '', counters }: CounterSet, path: string): FieldError[] {
  const errors = name === '' ? [required(`${path}.name`)] : validateLabelLike(name, `${path}.name`);
  return [...errors, ...validateCounters(counters, `${path}.counters`)];
}

function validateConsumption({ counterSet = '', counters }: CounterConsumption, path: string): FieldError[] {
  const field = `${path}.counterSet`;
  const errors = counterSet === '' ? [required(field)] : validateLabelLike(counterSet, field);
  return [...errors, ...validateCounters(counters, `${path}.counters`)];
}
