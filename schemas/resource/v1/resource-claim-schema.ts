/** What a ResourceClaim consists of: what is asked for, and what was given. */
import type * as z from 'zod';
import { nodeSelector } from '../../core/v1/pod-scheduling.js';
import { bool, describe, list, map, once, struct, text } from '../../fields.js';
import { quantity, rawExtension } from '../../meta/scalars.js';
import { condition, kubeObject, time } from '../../meta/v1.js';
import {
  deviceTolerations,
  opaqueConfiguration,
  requestNames,
  RESOURCE,
  resourceClaimSpec,
} from './device-claim-schema.js';

export const RESOURCE_CLAIM_DESCRIPTION = 'Asks for devices, and says which were given.';

export type ResourceClaimStatus = z.infer<ReturnType<typeof resourceClaimStatus>>;
export type AllocationResult = z.infer<ReturnType<typeof allocationResult>>;
export type DeviceResult = z.infer<ReturnType<typeof deviceResult>>;
export type DeviceStatus = z.infer<ReturnType<typeof deviceStatus>>;
export type ConsumerReference = z.infer<ReturnType<typeof consumerReference>>;

export const CONFIG_SOURCES = ['FromClaim', 'FromClass'];

export const bindingConditions = (description: string) => list(text(), { listType: 'atomic', description });

const driver = () => text({ default: '', description: 'Who looks after the device.' });
const pool = () => text({ default: '', description: 'Where the device is.' });
const device = () => text({ default: '', description: 'Its name within the pool.' });

const deviceResult = once(() =>
  struct(
    `${RESOURCE}.DeviceRequestAllocationResult`,
    {
      request: text({ default: '', description: 'What asked for it, as request or request/subrequest.' }),
      driver: driver(),
      pool: pool(),
      device: device(),
      adminAccess: bool({ description: 'It is only looked after.' }),
      tolerations: deviceTolerations(),
      bindingConditions: bindingConditions('Must be True before its pod goes to the node.'),
      bindingFailureConditions: bindingConditions('If one is True, another device is looked for.'),
      shareID: text({ goType: 'types.UID', description: 'Tells shares of one device apart.' }),
      consumedCapacity: map(quantity(), { description: 'How much of a shared device.' }),
    },
    { description: 'One device that was given.', required: ['request', 'driver', 'pool', 'device'] },
  ),
);

const allocationConfiguration = once(() =>
  struct(
    `${RESOURCE}.DeviceAllocationConfiguration`,
    {
      source: text({
        default: '',
        enum: CONFIG_SOURCES,
        goType: 'v1.AllocationConfigSource',
        description: 'Who asked for it.',
      }),
      requests: requestNames(),
      opaque: opaqueConfiguration(),
    },
    { description: 'Configuration of devices that were given.', required: ['source'] },
  ),
);

export const allocationResult = once(() =>
  struct(
    `${RESOURCE}.AllocationResult`,
    {
      devices: describe(
        struct(
          `${RESOURCE}.DeviceAllocationResult`,
          {
            results: list(deviceResult(), { listType: 'atomic' }),
            config: list(allocationConfiguration(), {
              listType: 'atomic',
              description: 'First what the class says, then what the claim says.',
            }),
          },
          { description: 'The devices.' },
        ),
        { default: {} },
      ),
      nodeSelector: describe(nodeSelector(), {
        description: 'Where the devices can be used; absent: anywhere.',
      }),
      allocationTimestamp: time({ description: 'When it was given.' }),
    },
    { description: 'What was given.' },
  ),
);

const consumerReference = once(() =>
  struct(
    `${RESOURCE}.ResourceClaimConsumerReference`,
    {
      apiGroup: text({ omitEmpty: true }),
      resource: text({ default: '', description: 'Plural, such as pods.' }),
      name: text({ default: '' }),
      uid: text({ default: '', goType: 'types.UID' }),
    },
    { description: 'Who uses it.', required: ['resource', 'name', 'uid'] },
  ),
);

const deviceStatus = once(() =>
  struct(
    `${RESOURCE}.AllocatedDeviceStatus`,
    {
      driver: driver(),
      pool: pool(),
      device: device(),
      shareID: text({ description: 'Tells shares of one device apart.' }),
      conditions: list(condition(), { listType: 'map', listMapKeys: ['type'] }),
      data: rawExtension({ description: 'Whatever the driver has to say.' }),
      networkData: struct(
        `${RESOURCE}.NetworkDeviceData`,
        {
          interfaceName: text({ omitEmpty: true }),
          ips: list(text(), {
            listType: 'atomic',
            description: 'With the length of the network: 192.0.2.5/24.',
          }),
          hardwareAddress: text({ omitEmpty: true }),
        },
        { description: 'Of a network interface.' },
      ),
    },
    { description: 'How a device is.', required: ['driver', 'pool', 'device'] },
  ),
);

const resourceClaimStatus = once(() =>
  struct(
    `${RESOURCE}.ResourceClaimStatus`,
    {
      allocation: describe(allocationResult(), { description: 'What was given.' }),
      reservedFor: list(consumerReference(), {
        listType: 'map',
        listMapKeys: ['uid'],
        patchStrategy: 'merge',
        patchMergeKey: 'uid',
        description: 'Who may use it.',
      }),
      devices: list(deviceStatus(), {
        listType: 'map',
        listMapKeys: ['driver', 'device', 'pool', 'shareID'],
        description: 'How the devices are, as their drivers say.',
      }),
    },
    { description: 'What was given, and to whom.' },
  ),
);

export const resourceClaim = once(() =>
  kubeObject(
    `${RESOURCE}.ResourceClaim`,
    {
      spec: describe(resourceClaimSpec(), { default: {} }),
      status: describe(resourceClaimStatus(), { default: {} }),
    },
    { description: RESOURCE_CLAIM_DESCRIPTION, required: ['spec'] },
  ),
);
