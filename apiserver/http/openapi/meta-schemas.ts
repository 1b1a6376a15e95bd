/** Bodies of every group that no resource defines: lists, Status, watch events, patches. */
import type { ResourceDefinition } from '../../../schemas/definition.js';
import { type GroupVersionKind, type OpenApiSchema, reference } from './schema.js';

export const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

export const STATUS = `${META}.Status`;
export const WATCH_EVENT = `${META}.WatchEvent`;
export const PATCH = `${META}.Patch`;
export const LIST_META = `${META}.ListMeta`;
export const API_RESOURCE_LIST = `${META}.APIResourceList`;

export const text = (description?: string): OpenApiSchema => ({
  ...(description === undefined ? {} : { description }),
  type: 'string',
});
export const kind = (kind: string): GroupVersionKind[] => [{ group: '', version: 'v1', kind }];
export const listOf = (items: OpenApiSchema): OpenApiSchema => ({
  items,
  type: 'array',
  'x-kubernetes-list-type': 'atomic',
});

export const META_SCHEMAS: Readonly<Record<string, OpenApiSchema>> = {
  [PATCH]: { description: 'A patch; its form is told by the content type.', type: 'object' },
  [STATUS]: {
    description: 'How a request ended, where the answer is no object.',
    properties: {
      apiVersion: text(),
      code: { description: 'The HTTP status code.', format: 'int32', type: 'integer' },
      details: { allOf: [reference(`${META}.StatusDetails`)] },
      kind: text(),
      message: text('For people.'),
      metadata: { allOf: [reference(LIST_META)], default: {} },
      reason: text('For programs: NotFound, AlreadyExists, Conflict, Invalid, …'),
      status: text('Success or Failure.'),
    },
    type: 'object',
    'x-kubernetes-group-version-kind': kind('Status'),
  },
  [`${META}.StatusDetails`]: {
    description: 'What a Status speaks of.',
    properties: {
      causes: listOf(reference(`${META}.StatusCause`)),
      group: text(),
      kind: text(),
      name: text(),
      retryAfterSeconds: { format: 'int32', type: 'integer' },
      uid: text(),
    },
    type: 'object',
  },
  [`${META}.StatusCause`]: {
    description: 'One thing that is wrong.',
    properties: { field: text('Path of the field.'), message: text(), reason: text() },
    type: 'object',
  },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': { description: 'An object of any kind.', type: 'object' },
  [API_RESOURCE_LIST]: {
    description: 'The resources of one group and version.',
    properties: {
      apiVersion: text(),
      groupVersion: { default: '', type: 'string' },
      kind: text(),
      resources: listOf(reference(`${META}.APIResource`)),
    },
    required: ['groupVersion', 'resources'],
    type: 'object',
    'x-kubernetes-group-version-kind': kind('APIResourceList'),
  },
  [`${META}.APIResource`]: {
    description: 'One resource and what can be done with it.',
    properties: {
      categories: listOf({ type: 'string' }),
      group: text(),
      kind: { default: '', type: 'string' },
      name: { default: '', description: 'The plural.', type: 'string' },
      namespaced: { default: false, type: 'boolean' },
      shortNames: listOf({ type: 'string' }),
      singularName: { default: '', type: 'string' },
      storageVersionHash: text(),
      verbs: { items: { type: 'string' }, type: 'array' },
      version: text(),
    },
    required: ['name', 'singularName', 'namespaced', 'kind', 'verbs'],
    type: 'object',
  },
};

/** `kinds`: what a change is called in the group that is watched. */
export const watchEventSchema = (kinds: readonly GroupVersionKind[]): OpenApiSchema => ({
  description: 'One change.',
  properties: {
    object: { allOf: [reference('io.k8s.apimachinery.pkg.runtime.RawExtension')] },
    type: { default: '', description: 'ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.', type: 'string' },
  },
  required: ['type', 'object'],
  type: 'object',
  'x-kubernetes-group-version-kind': kinds,
});

/** The list of a resource. `itemId` names the resource's own schema. */
export function listSchema(definition: ResourceDefinition, itemId: string): OpenApiSchema {
  const { group, version, listKind } = definition;
  return {
    description: `A list of ${definition.kind} objects.`,
    properties: {
      apiVersion: text(),
      items: { items: reference(itemId), type: 'array' },
      kind: text(),
      metadata: { allOf: [reference(LIST_META)], default: {} },
    },
    required: ['items'],
    type: 'object',
    'x-kubernetes-group-version-kind': [{ group, version, kind: listKind }],
  };
}
