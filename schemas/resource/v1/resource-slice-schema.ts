/** What a ResourceSlice consists of: devices of a pool, with what can be said of each. */
import type * as z from 'zod';
import { nodeSelector } from '../../core/v1/pod-scheduling.js';
import type { KubeObject } from '../../definition.js';
import { bool, describe, int64, list, map, once, struct, text } from '../../fields.js';
import { quantity } from '../../meta/scalars.js';
import { kubeObject, time } from '../../meta/v1.js';
import { RESOURCE, TAINT_EFFECTS } from './device-claim-schema.js';
import { bindingConditions } from './resource-claim-schema.js';

export const RESOURCE_SLICE_DESCRIPTION = 'Devices that a driver offers, of one node or of several.';

export type ResourceSliceSpec = z.infer<ReturnType<typeof resourceSliceSpec>>;
export type Device = z.infer<ReturnType<typeof device>>;
export type DeviceAttribute = z.infer<ReturnType<typeof deviceAttribute>>;
export type DeviceCapacity = z.infer<ReturnType<typeof deviceCapacity>>;
export type CapacityRequestPolicy = z.infer<ReturnType<typeof capacityRequestPolicy>>;
export type CounterSet = z.infer<ReturnType<typeof counterSet>>;
export type CounterConsumption = z.infer<ReturnType<typeof counterConsumption>>;

export const specOf = (object: KubeObject): ResourceSliceSpec => object['spec'] ?? {};

const ATOMIC = { listType: 'atomic' } as const;
const oneNode = () => text({ description: 'The node where it can be used.' });
const someNodes = () => describe(nodeSelector(), { description: 'The nodes where it can be used.' });
const allNodes = () => bool({ description: 'It can be used everywhere.' });

const counters = (description: string) =>
  map(
    struct(
      `${RESOURCE}.Counter`,
      { value: quantity({ description: 'How much.' }) },
      { description: 'An amount that devices share.', required: ['value'] },
    ),
    { description },
  );

const counterSet = once(() =>
  struct(
    `${RESOURCE}.CounterSet`,
    { name: text({ default: '' }), counters: counters('What there is in all, by name.') },
    { description: 'Amounts that devices of a pool share.', required: ['name', 'counters'] },
  ),
);

const counterConsumption = once(() =>
  struct(
    `${RESOURCE}.DeviceCounterConsumption`,
    {
      counterSet: text({ default: '', description: 'Where it takes from.' }),
      counters: counters('How much it takes, by name.'),
    },
    { description: 'What a device takes of shared amounts.', required: ['counterSet', 'counters'] },
  ),
);

export const deviceAttribute = once(() =>
  struct(
    `${RESOURCE}.DeviceAttribute`,
    {
      int: int64(),
      bool: bool(),
      string: text(),
      version: text({ description: 'As semver.org has them.' }),
      ints: list(int64(), ATOMIC),
      bools: list(bool(), ATOMIC),
      strings: list(text(), ATOMIC),
      versions: list(text(), ATOMIC),
    },
    { description: 'One value, of one type.' },
  ),
);

const capacityRequestPolicy = once(() =>
  struct(
    `${RESOURCE}.CapacityRequestPolicy`,
    {
      default: quantity({ description: 'For requests that do not say how much.' }),
      validValues: list(quantity(), { ...ATOMIC, description: 'The only amounts, in ascending order.' }),
      validRange: struct(
        `${RESOURCE}.CapacityRequestPolicyRange`,
        {
          min: quantity(),
          max: quantity(),
          step: quantity({ description: 'Amounts are the smallest one and whole steps.' }),
        },
        { description: 'Amounts between two.', required: ['min'] },
      ),
    },
    { description: 'How much may be asked for.' },
  ),
);

const deviceCapacity = once(() =>
  struct(
    `${RESOURCE}.DeviceCapacity`,
    {
      value: quantity({ description: 'How much there is.' }),
      requestPolicy: describe(capacityRequestPolicy(), { description: 'Of devices that are shared.' }),
    },
    { description: 'How much of something a device has.', required: ['value'] },
  ),
);

const deviceTaint = once(() =>
  struct(
    `${RESOURCE}.DeviceTaint`,
    {
      key: text({ default: '' }),
      value: text({ omitEmpty: true }),
      effect: text({ default: '', enum: TAINT_EFFECTS, goType: 'v1.DeviceTaintEffect' }),
      timeAdded: time({ description: 'When it was added.' }),
    },
    { description: 'Keeps away, or drives away, who does not tolerate it.', required: ['key', 'effect'] },
  ),
);

const nodeAllocatableResourceMapping = once(() =>
  struct(
    `${RESOURCE}.NodeAllocatableResourceMapping`,
    {
      capacityKey: text({ goType: 'v1.QualifiedName', description: 'The capacity that is counted.' }),
      allocationMultiplier: quantity({ description: 'How much each of it comes to.' }),
    },
    { description: 'How much of a resource of the node a device takes.' },
  ),
);

const device = once(() =>
  struct(
    `${RESOURCE}.Device`,
    {
      name: text({ default: '', description: 'Unique within the pool.' }),
      attributes: map(deviceAttribute(), { description: 'By name, or domain/name.' }),
      capacity: map(deviceCapacity(), { description: 'By name, or domain/name.' }),
      consumesCounters: list(counterConsumption(), {
        ...ATOMIC,
        description: 'What it takes of amounts that it shares with other devices.',
      }),
      nodeName: oneNode(),
      nodeSelector: someNodes(),
      allNodes: allNodes(),
      taints: list(deviceTaint(), ATOMIC),
      bindsToNode: bool({ description: 'Who gets it can only run on the node that was chosen.' }),
      bindingConditions: bindingConditions('Must be True before its pod goes to the node.'),
      bindingFailureConditions: bindingConditions('If one is True, another device is looked for.'),
      allowMultipleAllocations: bool({ description: 'Several claims may share it.' }),
      nodeAllocatableResourceMappings: map(nodeAllocatableResourceMapping(), {
        description: 'Resources of the node that it takes.',
      }),
    },
    { description: 'One device.', required: ['name'] },
  ),
);

const resourceSliceSpec = once(() =>
  struct(
    `${RESOURCE}.ResourceSliceSpec`,
    {
      driver: text({ default: '', description: 'Who offers them. Never changes.' }),
      pool: describe(
        struct(
          `${RESOURCE}.ResourcePool`,
          {
            name: text({ default: '', description: 'Never changes.' }),
            generation: int64({ default: 0, description: 'Slices of an older one do not count any more.' }),
            resourceSliceCount: int64({ default: 0, description: 'How many slices the pool has.' }),
          },
          {
            description: 'Slices that belong together.',
            required: ['name', 'generation', 'resourceSliceCount'],
          },
        ),
        { default: {} },
      ),
      nodeName: oneNode(),
      nodeSelector: someNodes(),
      allNodes: allNodes(),
      devices: list(device(), ATOMIC),
      perDeviceNodeSelection: bool({ description: 'Each device says where it can be used.' }),
      sharedCounters: list(counterSet(), {
        ...ATOMIC,
        description: 'Amounts that devices of the pool share.',
      }),
    },
    { description: 'The devices.', required: ['driver', 'pool'] },
  ),
);

export const resourceSlice = once(() =>
  kubeObject(
    `${RESOURCE}.ResourceSlice`,
    { spec: describe(resourceSliceSpec(), { default: {} }) },
    { description: RESOURCE_SLICE_DESCRIPTION, required: ['spec'] },
  ),
);
