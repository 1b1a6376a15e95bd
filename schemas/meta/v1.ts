/** What every API group shares: the structs of meta/v1. */
import * as z from 'zod';
import { bool, describe, int64, type KindName, list, map, once, scalar, struct, text } from '../fields.js';
import { time } from './scalars.js';

export { microTime, time } from './scalars.js';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

export const ownerReference = once(() =>
  struct(
    `${META}.OwnerReference`,
    {
      apiVersion: text({ default: '' }),
      kind: text({ default: '' }),
      name: text({ default: '' }),
      uid: text({ default: '' }),
      controller: bool({ description: 'This owner manages the object; at most one does.' }),
      blockOwnerDeletion: bool({ description: 'A foreground deletion of the owner waits for this object.' }),
    },
    {
      description: 'An object that owns this one: when all owners are gone, so is this.',
      required: ['apiVersion', 'kind', 'name', 'uid'],
      mapType: 'atomic',
    },
  ),
);

const managedFieldsEntry = once(() =>
  struct(
    `${META}.ManagedFieldsEntry`,
    {
      manager: text({ omitEmpty: true }),
      operation: text({ omitEmpty: true, description: 'Apply or Update.' }),
      apiVersion: text({ omitEmpty: true }),
      time: time(),
      fieldsType: text({ omitEmpty: true, description: 'Always FieldsV1.' }),
      fieldsV1: fieldsV1(),
      subresource: text({ omitEmpty: true }),
    },
    { description: 'Which fields one writer set last.' },
  ),
);

/** A tree of `f:name`, `k:{…}` and `v:…` keys. */
const fieldsV1 = once(() =>
  scalar(z.unknown(), `${META}.FieldsV1`, { anyValue: true, description: 'The fields, as a tree of keys.' }),
);

export const objectMeta = once(() =>
  struct(
    `${META}.ObjectMeta`,
    {
      name: text({ omitEmpty: true, description: 'Unique among its kind in the namespace; never changes.' }),
      generateName: text({ omitEmpty: true, description: 'Prefix from which the server makes a name.' }),
      namespace: text({ omitEmpty: true }),
      selfLink: text({ omitEmpty: true, description: 'No longer set.' }),
      uid: text({
        omitEmpty: true,
        description: 'Set by the server; differs between an object and its namesake.',
      }),
      resourceVersion: text({
        omitEmpty: true,
        description: 'Changes with every write; compare for equality only.',
      }),
      generation: int64({ omitEmpty: true, description: 'Rises with each change of the desired state.' }),
      creationTimestamp: time(),
      deletionTimestamp: time({ description: 'Set once a deletion was asked for.' }),
      deletionGracePeriodSeconds: int64({ description: 'Seconds given to stop before removal.' }),
      labels: map(text(), { description: 'Short values to select objects by.' }),
      annotations: map(text(), { description: 'Values for tools, not selectable.' }),
      ownerReferences: list(ownerReference(), {
        listType: 'map',
        listMapKeys: ['uid'],
        patchMergeKey: 'uid',
        patchStrategy: 'merge',
        description: 'Objects that own this one.',
      }),
      finalizers: list(text(), {
        listType: 'set',
        patchStrategy: 'merge',
        description: 'Must be empty before the object is removed.',
      }),
      managedFields: list(managedFieldsEntry(), {
        listType: 'atomic',
        keepsEmpty: true,
        description: 'Who set which field; an empty list forgets it all.',
      }),
    },
    { description: 'What every stored object carries.' },
  ),
);

export const listMeta = once(() =>
  struct(
    `${META}.ListMeta`,
    {
      selfLink: text({ omitEmpty: true, description: 'No longer set.' }),
      resourceVersion: text({ omitEmpty: true, description: 'Version of the store that the list shows.' }),
      continue: text({ omitEmpty: true, description: 'Token for the next page; absent on the last.' }),
      remainingItemCount: int64({ description: 'How many items follow this page.' }),
      shardInfo: shardInfo(),
    },
    { description: 'What a list carries beside its items.' },
  ),
);

const shardInfo = once(() =>
  struct(
    `${META}.ShardInfo`,
    { selector: text({ default: '' }) },
    { description: 'The part of a sharded list that this is.', required: ['selector'] },
  ),
);

export const labelSelectorRequirement = once(() =>
  struct(
    `${META}.LabelSelectorRequirement`,
    {
      key: text({ default: '' }),
      operator: text({ default: '', description: 'In, NotIn, Exists or DoesNotExist.' }),
      values: list(text(), { listType: 'atomic', description: 'For In and NotIn.' }),
    },
    { description: 'One condition on a label.', required: ['key', 'operator'] },
  ),
);

export const labelSelector = once(() =>
  struct(
    `${META}.LabelSelector`,
    {
      matchLabels: map(text(), { description: 'Labels that must have exactly these values.' }),
      matchExpressions: list(labelSelectorRequirement(), { listType: 'atomic' }),
    },
    { description: 'All conditions must hold; an empty selector matches everything.', mapType: 'atomic' },
  ),
);

export const condition = once(() =>
  struct(
    `${META}.Condition`,
    {
      type: text({ default: '' }),
      status: text({ default: '', description: 'True, False or Unknown.' }),
      observedGeneration: int64({
        omitEmpty: true,
        description: 'metadata.generation that this was seen at.',
      }),
      lastTransitionTime: time({ printsNull: true, description: 'When status last changed.' }),
      reason: text({ default: '', description: 'One word for programs.' }),
      message: text({ default: '', description: 'A sentence for people.' }),
    },
    {
      description: 'One aspect of the state of an object.',
      required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
    },
  ),
);

const preconditions = once(() =>
  struct(
    `${META}.Preconditions`,
    { uid: text(), resourceVersion: text() },
    { description: 'Must match the stored object, else 409.' },
  ),
);

export const deleteOptions = once(() =>
  struct(
    `${META}.DeleteOptions`,
    {
      kind: text({ omitEmpty: true }),
      apiVersion: text({ omitEmpty: true }),
      gracePeriodSeconds: int64({ description: 'Seconds to stop in; 0 removes at once.' }),
      preconditions: preconditions(),
      orphanDependents: bool({ description: 'Superseded by propagationPolicy.' }),
      propagationPolicy: text({ description: 'Orphan, Background or Foreground.' }),
      dryRun: list(text(), { listType: 'atomic', description: '`All` checks and answers without storing.' }),
      ignoreStoreReadErrorWithClusterBreakingPotential: bool({
        description: 'Removes an object that can no longer be read.',
      }),
    },
    { description: 'How to delete.' },
  ),
);

/**
 * A kind: kind, apiVersion and metadata in front, as Go prints them, then its own fields. `required` names fields of its
 * own that OpenAPI calls required.
 */
export function kubeObject<F extends z.ZodRawShape>(
  structId: string,
  fields: F,
  options: {
    readonly description?: string;
    readonly required?: readonly (keyof F & string)[];
    readonly kind?: KindName;
  } = {},
) {
  const front = {
    kind: text({ omitEmpty: true, description: 'What the object is.' }),
    apiVersion: text({ omitEmpty: true, description: 'Group and version of the form it is written in.' }),
    metadata: describe(objectMeta(), {
      default: {},
      description: 'Name, labels and what else all objects have.',
    }),
  };
  return struct<typeof front & F>(structId, { ...front, ...fields }, options);
}
