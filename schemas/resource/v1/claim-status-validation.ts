/** Rules of the status of a ResourceClaim: what was given, to whom, and how the devices are. */
import { addAll } from '../../add-all.js';
import { internalStruct } from '../../core/v1/internal-form.js';
import { validateNodeSelector } from '../../core/v1/pod-scheduling-validation.js';
import {
  type FieldError,
  forbidden,
  invalid,
  invalidUnshown,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../field-error.js';
import { type Condition, validateConditions } from '../../validation/conditions.js';
import { FIELD_IMMUTABLE, validateLabelName } from '../../validation/metadata.js';
import { byteLength } from '../../validation/names.js';
import { duplicatesOf, validateItems, validateSet } from './collections.js';
import {
  validateConfiguration,
  type RequestNames,
  validateRequestName,
  validateRequestNames,
} from './device-claim-validation.js';
import { validateInterfaceAddress } from './interface-address.js';
import {
  ALLOCATION_RESULTS_MAX,
  BINDING_CONDITIONS_MAX,
  DEVICE_CONFIG_MAX,
  DEVICE_STATUS_CONDITIONS_MAX,
  DEVICE_STATUS_DATA_BYTES_MAX,
  HARDWARE_ADDRESS_BYTES_MAX,
  INTERFACE_NAME_BYTES_MAX,
  NETWORK_IPS_MAX,
  RESERVED_FOR_MAX,
} from './limits.js';
import {
  validateDriver,
  validateLabelLike,
  validateParameters,
  validatePool,
  validateShareId,
} from './name-validation.js';
import {
  type AllocationResult,
  allocationResult,
  CONFIG_SOURCES,
  type ConsumerReference,
  type DeviceResult,
  type DeviceStatus,
  type ResourceClaimStatus,
} from './resource-claim-schema.js';

/** `driver/pool/device`, and the share of a device that several have. */
export function deviceId(of: Pick<DeviceResult, 'driver' | 'pool' | 'device' | 'shareID'>): string {
  const { driver = '', pool = '', device = '', shareID = '' } = of;
  return `${driver}/${pool}/${device}${shareID === '' ? '' : `/${shareID}`}`;
}

export const allocatedIds = ({ allocation }: ResourceClaimStatus): Set<string> =>
  new Set((allocation?.devices?.results ?? []).map(deviceId));

export function validateClaimStatus(
  status: ResourceClaimStatus,
  old: ResourceClaimStatus,
  { names, isDeleted }: { readonly names: RequestNames; readonly isDeleted: boolean },
): FieldError[] {
  const { allocation, reservedFor = [], devices } = status;
  const errors = validateSet(
    reservedFor,
    RESERVED_FOR_MAX,
    'status.reservedFor',
    validateConsumer,
    ({ uid = '' }) => uid,
  );
  const allocated = allocatedIds(status);
  addAll(
    errors,
    validateSet(
      devices,
      Number.POSITIVE_INFINITY,
      'status.devices',
      (device, path) => validateDeviceStatus(device, allocated, path),
      deviceId,
    ),
    validateReservation(status, old, isDeleted),
  );
  if (allocation === undefined) return errors;
  if (old.allocation === undefined) {
    addAll(errors, validateAllocation(allocation, names));
    return errors;
  }
  const printed = internalStruct(allocationResult(), allocation);
  if (JSON.stringify(printed) !== JSON.stringify(internalStruct(allocationResult(), old.allocation))) {
    errors.push(invalid('status.allocation', printed, FIELD_IMMUTABLE));
  }
  return errors;
}

const consumerKey = ({ apiGroup = '', resource = '', name = '', uid = '' }: ConsumerReference): string =>
  JSON.stringify([apiGroup, resource, name, uid]);

function validateReservation(
  { allocation, reservedFor = [] }: ResourceClaimStatus,
  old: ResourceClaimStatus,
  isDeleted: boolean,
): FieldError[] {
  if (reservedFor.length === 0) return [];
  if (allocation === undefined) {
    return [forbidden('status.reservedFor', 'may not be specified when `allocated` is not set')];
  }
  const before = new Set((old.reservedFor ?? []).map(consumerKey));
  if (!isDeleted || reservedFor.every((each) => before.has(consumerKey(each)))) return [];
  const why = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
  return [forbidden('status.reservedFor', why)];
}

function validateConsumer(reference: ConsumerReference, path: string): FieldError[] {
  return (['resource', 'name', 'uid'] as const)
    .filter((field) => (reference[field] ?? '') === '')
    .map((field) => required(`${path}.${field}`));
}

function validateAllocation(allocation: AllocationResult, names: RequestNames): FieldError[] {
  const { devices, nodeSelector } = allocation;
  const path = 'status.allocation';
  const errors = validateItems(
    devices?.results,
    ALLOCATION_RESULTS_MAX,
    `${path}.devices.results`,
    (result, item) => validateResult(result, names, item),
  );
  addAll(
    errors,
    validateItems(
      devices?.config,
      2 * DEVICE_CONFIG_MAX,
      `${path}.devices.config`,
      ({ source = '', requests, opaque }, item) => [
        ...validateSource(source, `${item}.source`),
        ...validateRequestNames(requests, names, `${item}.requests`),
        ...validateConfiguration(opaque, `${item}.opaque`, false),
      ],
    ),
  );
  if (nodeSelector) validateNodeSelector(errors, nodeSelector, `${path}.nodeSelector`);
  return errors;
}

function validateSource(source: string, path: string): FieldError[] {
  if (source === '') return [required(path)];
  return CONFIG_SOURCES.includes(source) ? [] : [notSupported(path, source, CONFIG_SOURCES)];
}

function validateResult(result: DeviceResult, names: RequestNames, path: string): FieldError[] {
  const { request = '', driver = '', pool = '', device = '', shareID } = result;
  const errors = validateRequestName(request, names, `${path}.request`);
  addAll(
    errors,
    validateDriver(driver, `${path}.driver`),
    validatePool(pool, `${path}.pool`),
    validateLabelLike(device, `${path}.device`),
    validateBinding(result, path),
  );
  if (shareID !== undefined) addAll(errors, validateShareId(shareID, `${path}.shareID`));
  return errors;
}

/** Of results and of devices of a slice: both kinds of conditions or none, and none twice. */
export function validateBinding(
  of: Pick<DeviceResult, 'bindingConditions' | 'bindingFailureConditions'>,
  path: string,
): FieldError[] {
  const { bindingConditions = [], bindingFailureConditions = [] } = of;
  const ready = `${path}.bindingConditions`;
  const failed = `${path}.bindingFailureConditions`;
  const errors = [
    ...validateItems(bindingConditions, BINDING_CONDITIONS_MAX, ready, validateLabelName),
    ...validateItems(bindingFailureConditions, BINDING_CONDITIONS_MAX, failed, validateLabelName),
    ...duplicatesOf(bindingConditions, ready),
  ];
  const seen = new Set<string>();
  const binding = new Set(bindingConditions);
  for (const [i, name] of bindingFailureConditions.entries()) {
    addAll(errors, duplicatesOf([name], failed, { seen, from: i }));
    if (binding.has(name)) {
      const why = 'bindingFailureConditions must not overlap with bindingConditions';
      errors.push(invalid(`${failed}[${i}]`, name, why));
    }
  }
  if (bindingConditions.length === 0 && bindingFailureConditions.length > 0) {
    const why = 'bindingConditions are required to use bindingFailureConditions';
    errors.push(invalid(ready, of.bindingConditions, why));
  }
  if (bindingFailureConditions.length === 0 && bindingConditions.length > 0) {
    const why = 'bindingFailureConditions are required to use bindingConditions';
    errors.push(invalid(failed, of.bindingFailureConditions, why));
  }
  return errors;
}

function validateDeviceStatus(
  status: DeviceStatus,
  allocated: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const { driver = '', pool = '', device = '', shareID, conditions = [], data } = status;
  const errors = [
    ...validateDriver(driver, `${path}.driver`),
    ...validatePool(pool, `${path}.pool`),
    ...validateLabelLike(device, `${path}.device`),
  ];
  if (shareID !== undefined) addAll(errors, validateShareId(shareID, `${path}.shareID`));
  const id = deviceId(status);
  if (!allocated.has(id)) {
    errors.push(invalidUnshown(path, `${id}: must be an allocated device in the claim`));
  }
  if (conditions.length > DEVICE_STATUS_CONDITIONS_MAX) {
    errors.push(tooMany(`${path}.conditions`, conditions.length, DEVICE_STATUS_CONDITIONS_MAX));
  }
  addAll(errors, validateConditions(conditions as readonly Condition[], `${path}.conditions`));
  if (data !== undefined) {
    addAll(errors, validateParameters(data, DEVICE_STATUS_DATA_BYTES_MAX, `${path}.data`, false));
  }
  addAll(errors, validateNetworkData(status.networkData, `${path}.networkData`));
  return errors;
}

function validateNetworkData(network: DeviceStatus['networkData'], path: string): FieldError[] {
  if (network === undefined) return [];
  const { interfaceName = '', hardwareAddress = '', ips } = network;
  const errors: FieldError[] = [];
  if (byteLength(interfaceName) > INTERFACE_NAME_BYTES_MAX) {
    errors.push(tooLong(`${path}.interfaceName`, INTERFACE_NAME_BYTES_MAX));
  }
  if (byteLength(hardwareAddress) > HARDWARE_ADDRESS_BYTES_MAX) {
    errors.push(tooLong(`${path}.hardwareAddress`, HARDWARE_ADDRESS_BYTES_MAX));
  }
  addAll(
    errors,
    validateSet(ips, NETWORK_IPS_MAX, `${path}.ips`, validateInterfaceAddress, (ip) => ip),
  );
  return errors;
}
