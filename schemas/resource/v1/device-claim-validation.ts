/** Rules of what is asked for: requests, constraints and configuration of claims, of templates, and partly of classes. */
import { addAll } from '../../add-all.js';
import { type FieldError, invalid, notSupported, required, tooLong } from '../../field-error.js';
import { validateLabelName } from '../../validation/metadata.js';
import { byteLength, labelValue } from '../../validation/names.js';
import { validateItems, validateSet } from './collections.js';
import {
  ALLOCATION_MODES,
  type DeviceClaim,
  type DeviceConstraint,
  type DeviceRequest,
  type DeviceSelector,
  type DeviceSubRequest,
  type DeviceToleration,
  type ExactDeviceRequest,
  type OpaqueConfiguration,
  TAINT_EFFECTS,
  TOLERATION_OPERATORS,
} from './device-claim-schema.js';
import {
  CEL_EXPRESSION_BYTES_MAX,
  DEVICE_CONFIG_MAX,
  DEVICE_CONSTRAINTS_MAX,
  DEVICE_REQUESTS_MAX,
  DEVICE_SELECTORS_MAX,
  FIRST_AVAILABLE_MAX,
  OPAQUE_PARAMETERS_BYTES_MAX,
} from './limits.js';
import {
  validateDriver,
  validateFullAttributeName,
  validateLabelLike,
  validateParameters,
  validateSubdomain,
} from './name-validation.js';

/** Of each request the names of its possibilities. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

export function requestNamesOf({ requests = [] }: DeviceClaim): RequestNames {
  return new Map(
    requests.map(({ name = '', firstAvailable = [] }) => [
      name,
      new Set(firstAvailable.map((possibility) => possibility.name ?? '')),
    ]),
  );
}

export function validateDeviceClaim(claim: DeviceClaim, path: string): FieldError[] {
  const names = requestNamesOf(claim);
  return [
    ...validateSet(
      claim.requests,
      DEVICE_REQUESTS_MAX,
      `${path}.requests`,
      validateRequest,
      ({ name = '' }) => name,
    ),
    ...validateItems(claim.constraints, DEVICE_CONSTRAINTS_MAX, `${path}.constraints`, (constraint, item) =>
      validateConstraint(constraint, names, item),
    ),
    ...validateItems(claim.config, DEVICE_CONFIG_MAX, `${path}.config`, ({ requests, opaque }, item) => [
      ...validateRequestNames(requests, names, `${item}.requests`),
      ...validateConfiguration(opaque, `${item}.opaque`, false),
    ]),
  ];
}

const ONE_KIND = 'exactly one of `exactly` or `firstAvailable` is required';

function validateRequest(
  { name = '', exactly, firstAvailable = [] }: DeviceRequest,
  path: string,
): FieldError[] {
  const errors = validateLabelLike(name, `${path}.name`);
  if (exactly === undefined && firstAvailable.length === 0) errors.push(required(path, ONE_KIND));
  else if (exactly !== undefined && firstAvailable.length > 0) {
    errors.push(invalid(path, null, `${ONE_KIND}, but multiple fields are set`));
  } else if (exactly !== undefined) addAll(errors, validateDevices(exactly, `${path}.exactly`));
  else {
    addAll(
      errors,
      validateSet(
        firstAvailable,
        FIRST_AVAILABLE_MAX,
        `${path}.firstAvailable`,
        (possibility, item) => [
          ...validateLabelLike(possibility.name ?? '', `${item}.name`),
          ...validateDevices(possibility, item),
        ],
        (possibility) => possibility.name ?? '',
      ),
    );
  }
  return errors;
}

function validateDevices(request: ExactDeviceRequest | DeviceSubRequest, path: string): FieldError[] {
  const { deviceClassName = '', selectors, allocationMode = '', count = 0, tolerations = [] } = request;
  const classPath = `${path}.deviceClassName`;
  const errors =
    deviceClassName === '' ? [required(classPath)] : validateSubdomain(deviceClassName, classPath);
  addAll(errors, validateSelectors(selectors, `${path}.selectors`));
  if (allocationMode === 'All') {
    if (count !== 0) {
      errors.push(invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'"));
    }
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) errors.push(invalid(`${path}.count`, count, 'must be greater than zero'));
  } else errors.push(notSupported(`${path}.allocationMode`, allocationMode, ALLOCATION_MODES));
  for (const [i, toleration] of tolerations.entries()) {
    addAll(errors, validateToleration(toleration, `${path}.tolerations[${i}]`));
  }
  return errors;
}

export const validateSelectors = (
  selectors: readonly DeviceSelector[] | undefined,
  path: string,
): FieldError[] =>
  validateItems(selectors, DEVICE_SELECTORS_MAX, path, ({ cel }, item) => {
    if (cel === undefined) return [required(`${item}.cel`)];
    const { expression = '' } = cel;
    if (expression === '') return [required(`${item}.cel.expression`)];
    if (byteLength(expression) <= CEL_EXPRESSION_BYTES_MAX) return [];
    return [tooLong(`${item}.cel.expression`, CEL_EXPRESSION_BYTES_MAX)];
  });

const validateLabelValue = (value: string, path: string): FieldError[] =>
  labelValue(value).map((problem) => invalid(path, value, problem));

function validateToleration(toleration: DeviceToleration, path: string): FieldError[] {
  const { key = '', operator = '', value = '', effect = '' } = toleration;
  const errors = key === '' ? [] : validateLabelName(key, `${path}.key`);
  if (operator === 'Exists') {
    if (value !== '') errors.push(invalid(`${path}.value`, value, 'must be empty for operator `Exists`'));
  } else if (operator === 'Equal') addAll(errors, validateLabelValue(value, `${path}.value`));
  else if (operator === '') errors.push(required(`${path}.operator`));
  else errors.push(notSupported(`${path}.operator`, operator, TOLERATION_OPERATORS));
  if (effect !== '' && !TAINT_EFFECTS.includes(effect)) {
    errors.push(notSupported(`${path}.effect`, effect, TAINT_EFFECTS));
  }
  return errors;
}

interface Taint {
  readonly key?: string | undefined;
  readonly value?: string | undefined;
  readonly effect?: string | undefined;
}

export function validateTaint({ key = '', value = '', effect = '' }: Taint, path: string): FieldError[] {
  const errors = validateLabelName(key, `${path}.key`);
  if (value !== '') addAll(errors, validateLabelValue(value, `${path}.value`));
  if (effect === '') errors.push(required(`${path}.effect`));
  else if (!TAINT_EFFECTS.includes(effect)) {
    errors.push(notSupported(`${path}.effect`, effect, TAINT_EFFECTS));
  }
  return errors;
}

function validateConstraint(constraint: DeviceConstraint, names: RequestNames, path: string): FieldError[] {
  const { requests, matchAttribute, distinctAttribute } = constraint;
  const errors = validateRequestNames(requests, names, `${path}.requests`);
  if (matchAttribute !== undefined) {
    addAll(errors, validateFullAttributeName(matchAttribute, `${path}.matchAttribute`));
  } else if (distinctAttribute !== undefined) {
    addAll(errors, validateFullAttributeName(distinctAttribute, `${path}.distinctAttribute`));
  } else {
    const why =
      'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
    errors.push(required(path, why));
  }
  return errors;
}

export const validateRequestNames = (
  requests: readonly string[] | undefined,
  names: RequestNames,
  path: string,
): FieldError[] =>
  validateSet(
    requests,
    DEVICE_REQUESTS_MAX,
    path,
    (name, item) => validateRequestName(name, names, item),
    (name) => name,
  );

export function validateRequestName(name: string, names: RequestNames, path: string): FieldError[] {
  const why =
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
  const [request = '', possibility, ...more] = name.split('/');
  if (more.length > 0) return [invalid(path, name, why)];
  const errors = validateLabelLike(request, path);
  if (possibility !== undefined) addAll(errors, validateLabelLike(possibility, path));
  const possibilities = names.get(request);
  const isKnown =
    possibilities !== undefined && (possibility === undefined || possibilities.has(possibility));
  if (!isKnown) errors.push(invalid(path, name, why));
  return errors;
}

export function validateConfiguration(
  opaque: OpaqueConfiguration | undefined,
  path: string,
  isStored: boolean,
): FieldError[] {
  if (opaque === undefined) return [required(path)];
  return [
    ...validateDriver(opaque.driver ?? '', `${path}.driver`),
    ...validateParameters(opaque.parameters, OPAQUE_PARAMETERS_BYTES_MAX, `${path}.parameters`, isStored),
  ];
}
