/** What is asked for: devices, by their class and attributes. Of claims, of their templates, and partly of classes. */
import type * as z from 'zod';
import { bool, describe, int64, list, map, once, struct, text } from '../../fields.js';
import { quantity, rawExtension } from '../../meta/scalars.js';

export const RESOURCE = 'io.k8s.api.resource.v1';
export const RESOURCE_GROUP = 'resource.k8s.io';

export type DeviceSelector = z.infer<ReturnType<typeof deviceSelector>>;
export type DeviceToleration = z.infer<ReturnType<typeof deviceToleration>>;
export type DeviceRequest = z.infer<ReturnType<typeof deviceRequest>>;
export type ExactDeviceRequest = z.infer<ReturnType<typeof exactDeviceRequest>>;
export type DeviceSubRequest = z.infer<ReturnType<typeof deviceSubRequest>>;
export type DeviceConstraint = z.infer<ReturnType<typeof deviceConstraint>>;
export type DeviceClaim = z.infer<ReturnType<typeof deviceClaim>>;
export type ResourceClaimSpec = z.infer<ReturnType<typeof resourceClaimSpec>>;
export type OpaqueConfiguration = z.infer<ReturnType<typeof opaqueConfiguration>>;

export const ALLOCATION_MODES = ['All', 'ExactCount'];
export const TAINT_EFFECTS = ['NoExecute', 'NoSchedule', 'None'];
export const TOLERATION_OPERATORS = ['Equal', 'Exists'];
const EFFECT_TYPE = 'v1.DeviceTaintEffect';

export const deviceSelector = once(() =>
  struct(
    `${RESOURCE}.DeviceSelector`,
    {
      cel: struct(
        `${RESOURCE}.CELDeviceSelector`,
        { expression: text({ default: '', description: 'True for devices that are meant; sees `device`.' }) },
        { description: 'An expression of the Common Expression Language.', required: ['expression'] },
      ),
    },
    { description: 'Which devices are meant.' },
  ),
);

export const deviceSelectors = (description: string) =>
  list(deviceSelector(), { listType: 'atomic', description });

export const opaqueConfiguration = once(() =>
  struct(
    `${RESOURCE}.OpaqueDeviceConfiguration`,
    {
      driver: text({ default: '', description: 'Whose configuration it is.' }),
      parameters: rawExtension({ printsNull: true, description: 'An object that only the driver reads.' }),
    },
    { description: 'Configuration for a driver.', required: ['driver', 'parameters'] },
  ),
);

export const deviceToleration = once(() =>
  struct(
    `${RESOURCE}.DeviceToleration`,
    {
      key: text({ omitEmpty: true, description: 'Of the taint; all keys if empty.' }),
      operator: text({
        omitEmpty: true,
        default: 'Equal',
        enum: TOLERATION_OPERATORS,
        goType: 'v1.DeviceTolerationOperator',
      }),
      value: text({ omitEmpty: true, description: 'Of the taint, with Equal.' }),
      effect: text({
        omitEmpty: true,
        enum: TAINT_EFFECTS,
        goType: EFFECT_TYPE,
        description: 'Of the taint; all effects if empty.',
      }),
      tolerationSeconds: int64({ description: 'How long NoExecute is tolerated; absent: for ever.' }),
    },
    { description: 'A taint that does not matter.' },
  ),
);

export const deviceTolerations = () =>
  list(deviceToleration(), { listType: 'atomic', description: 'Taints of devices that do not matter.' });

const capacityRequirements = once(() =>
  struct(
    `${RESOURCE}.CapacityRequirements`,
    { requests: map(quantity(), { description: 'By the name of the capacity.' }) },
    { description: 'How much of a device that is shared.' },
  ),
);

const allocationMode = () =>
  text({
    omitEmpty: true,
    enum: ALLOCATION_MODES,
    goType: 'v1.DeviceAllocationMode',
    description: 'How many devices: a number, or all that fit.',
  });
const count = () => int64({ omitEmpty: true, description: 'With ExactCount; 1 if absent.' });
const deviceClassName = () => text({ default: '', description: 'The DeviceClass.' });
const capacity = () => describe(capacityRequirements(), { description: 'How much of each device.' });
const selectors = () => deviceSelectors('Which devices of the class; all must hold.');

export const exactDeviceRequest = once(() =>
  struct(
    `${RESOURCE}.ExactDeviceRequest`,
    {
      deviceClassName: deviceClassName(),
      selectors: selectors(),
      allocationMode: allocationMode(),
      count: count(),
      adminAccess: bool({ description: 'Sees devices that are in use, to look after them.' }),
      tolerations: deviceTolerations(),
      capacity: capacity(),
    },
    { description: 'Devices of one class.', required: ['deviceClassName'] },
  ),
);

export const deviceSubRequest = once(() =>
  struct(
    `${RESOURCE}.DeviceSubRequest`,
    {
      name: text({ default: '' }),
      deviceClassName: deviceClassName(),
      selectors: selectors(),
      allocationMode: allocationMode(),
      count: count(),
      tolerations: deviceTolerations(),
      capacity: capacity(),
    },
    { description: 'One of several possibilities.', required: ['name', 'deviceClassName'] },
  ),
);

export const deviceRequest = once(() =>
  struct(
    `${RESOURCE}.DeviceRequest`,
    {
      name: text({ default: '', description: 'By which other fields and containers name it.' }),
      exactly: describe(exactDeviceRequest(), { description: 'Devices of one class.' }),
      firstAvailable: list(deviceSubRequest(), {
        listType: 'atomic',
        description: 'The first possibility that there is.',
      }),
    },
    { description: 'Devices that are asked for together.', required: ['name'] },
  ),
);

export const requestNames = () =>
  list(text(), {
    listType: 'atomic',
    description: 'The requests that are meant, or request/subrequest; all if absent.',
  });

export const deviceConstraint = once(() =>
  struct(
    `${RESOURCE}.DeviceConstraint`,
    {
      requests: requestNames(),
      matchAttribute: text({
        goType: 'v1.FullyQualifiedName',
        description: 'An attribute that is the same in all devices.',
      }),
      distinctAttribute: text({
        goType: 'v1.FullyQualifiedName',
        description: 'An attribute that differs in all devices.',
      }),
    },
    { description: 'What devices must have in common.' },
  ),
);

export const deviceClaim = once(() =>
  struct(
    `${RESOURCE}.DeviceClaim`,
    {
      requests: list(deviceRequest(), { listType: 'atomic' }),
      constraints: list(deviceConstraint(), { listType: 'atomic', description: 'All must hold.' }),
      config: list(
        struct(
          `${RESOURCE}.DeviceClaimConfiguration`,
          { requests: requestNames(), opaque: opaqueConfiguration() },
          { description: 'Configuration of devices.' },
        ),
        { listType: 'atomic', description: 'For the drivers of the devices.' },
      ),
    },
    { description: 'Which devices are asked for.' },
  ),
);

export const resourceClaimSpec = once(() =>
  struct(
    `${RESOURCE}.ResourceClaimSpec`,
    { devices: describe(deviceClaim(), { default: {} }) },
    { description: 'What is asked for. Never changes.' },
  ),
);

const DEFAULT_OPERATOR = 'Equal';

export function defaultTolerations(tolerations: readonly DeviceToleration[] = []): void {
  for (const toleration of tolerations) toleration.operator ??= DEFAULT_OPERATOR;
}

/** Sets what has a default, in claims and in their templates. */
export function defaultClaimSpec({ devices }: ResourceClaimSpec): void {
  for (const { exactly, firstAvailable = [] } of devices?.requests ?? []) {
    for (const request of exactly ? [exactly, ...firstAvailable] : firstAvailable) {
      request.allocationMode ??= 'ExactCount';
      if (request.allocationMode === 'ExactCount') request.count ??= 1;
      defaultTolerations(request.tolerations);
    }
  }
}
