/** Structs of a CustomResourceDefinition, and what code reads of them. */
import type { KubeObject } from '../../definition.js';
import { bool, describe, int32, int64, list, once, struct, text } from '../../fields.js';
import { time } from '../../meta/v1.js';
import { type WebhookClientConfig, webhookClientConfig } from '../../validation/webhook-client.js';
import { type JsonSchema, jsonSchemaProps, PREFIX } from './json-schema.js';

const clientConfig = webhookClientConfig(PREFIX);

const names = once(() =>
  struct(
    `${PREFIX}.CustomResourceDefinitionNames`,
    {
      plural: text({ default: '', description: 'In paths, lower case.' }),
      singular: text({ omitEmpty: true, description: 'For people; the kind in lower case if absent.' }),
      shortNames: list(text(), { listType: 'atomic', description: 'For people who type.' }),
      kind: text({ default: '' }),
      listKind: text({ omitEmpty: true, description: 'The kind and List if absent.' }),
      categories: list(text(), { listType: 'atomic', description: 'Groups to get it with, such as all.' }),
    },
    { description: 'What a resource is called.', required: ['plural', 'kind'] },
  ),
);

const subresources = once(() =>
  struct(
    `${PREFIX}.CustomResourceSubresources`,
    {
      status: struct(
        `${PREFIX}.CustomResourceSubresourceStatus`,
        {},
        { description: 'The status is written by itself.' },
      ),
      scale: struct(
        `${PREFIX}.CustomResourceSubresourceScale`,
        {
          specReplicasPath: text({ default: '', description: 'Path of the number wanted, under .spec.' }),
          statusReplicasPath: text({ default: '', description: 'Path of the number there, under .status.' }),
          labelSelectorPath: text({ description: 'Path of the selector, as a text.' }),
        },
        {
          description: 'The resource can be scaled.',
          required: ['specReplicasPath', 'statusReplicasPath'],
        },
      ),
    },
    { description: 'What can be done with parts of an object.' },
  ),
);

const column = once(() =>
  struct(
    `${PREFIX}.CustomResourceColumnDefinition`,
    {
      name: text({ default: '' }),
      type: text({ default: '', description: 'integer, number, string, boolean or date.' }),
      format: text({ omitEmpty: true }),
      description: text({ omitEmpty: true }),
      priority: int32({ omitEmpty: true, description: 'Above 0: only in wide tables.' }),
      jsonPath: text({ default: '', description: 'Where the cell is found.' }),
    },
    { description: 'A column of tables.', required: ['name', 'type', 'jsonPath'] },
  ),
);

const version = once(() =>
  struct(
    `${PREFIX}.CustomResourceDefinitionVersion`,
    {
      name: text({ default: '' }),
      served: bool({ default: false }),
      storage: bool({ default: false, description: 'Objects are stored in it; true of one version.' }),
      deprecated: bool({ omitEmpty: true, description: 'Its users are warned.' }),
      deprecationWarning: text({ description: 'What they are told.' }),
      schema: struct(
        `${PREFIX}.CustomResourceValidation`,
        { openAPIV3Schema: jsonSchemaProps() },
        { description: 'What objects look like.' },
      ),
      subresources: subresources(),
      additionalPrinterColumns: list(column(), { listType: 'atomic' }),
      selectableFields: list(
        struct(
          `${PREFIX}.SelectableField`,
          { jsonPath: text({ default: '' }) },
          { description: 'A field that field selectors know.', required: ['jsonPath'] },
        ),
        { listType: 'atomic' },
      ),
    },
    { description: 'One version of a resource.', required: ['name', 'served', 'storage'] },
  ),
);

const conversion = once(() =>
  struct(
    `${PREFIX}.CustomResourceConversion`,
    {
      strategy: text({
        default: '',
        goType: 'v1.ConversionStrategyType',
        description: 'None: only apiVersion changes. Webhook: another server converts.',
      }),
      webhook: struct(
        `${PREFIX}.WebhookConversion`,
        {
          clientConfig: clientConfig(),
          conversionReviewVersions: list(text(), {
            listType: 'atomic',
            printsNull: true,
            description: 'Versions of ConversionReview that it understands, the best first.',
          }),
        },
        { description: 'The server that converts.', required: ['conversionReviewVersions'] },
      ),
    },
    { description: 'How objects get from one version to another.', required: ['strategy'] },
  ),
);

export const crdSpec = once(() =>
  struct(
    `${PREFIX}.CustomResourceDefinitionSpec`,
    {
      group: text({ default: '', description: 'The domain that the resource is under.' }),
      names: describe(names(), { default: {} }),
      scope: text({ default: '', goType: 'v1.ResourceScope', description: 'Cluster or Namespaced.' }),
      versions: list(version(), { listType: 'atomic', printsNull: true }),
      conversion: conversion(),
      preserveUnknownFields: bool({ omitEmpty: true, description: 'No longer to be used.' }),
    },
    { description: 'A resource and its versions.', required: ['group', 'names', 'scope', 'versions'] },
  ),
);

export const crdStatus = once(() =>
  struct(
    `${PREFIX}.CustomResourceDefinitionStatus`,
    {
      conditions: list(
        struct(
          `${PREFIX}.CustomResourceDefinitionCondition`,
          {
            type: text({ default: '', goType: 'v1.CustomResourceDefinitionConditionType' }),
            status: text({
              default: '',
              goType: 'v1.ConditionStatus',
              description: 'True, False or Unknown.',
            }),
            lastTransitionTime: time({ printsNull: true, description: 'When status last changed.' }),
            reason: text({ omitEmpty: true, description: 'One word for programs.' }),
            message: text({ omitEmpty: true, description: 'A sentence for people.' }),
            observedGeneration: int64({
              omitEmpty: true,
              description: 'metadata.generation that this was seen at.',
            }),
          },
          { description: 'One aspect of its state.', required: ['type', 'status'] },
        ),
        { listType: 'map', listMapKeys: ['type'], printsNull: true },
      ),
      acceptedNames: describe(names(), { default: {}, description: 'Names that are in use.' }),
      storedVersions: list(text(), {
        listType: 'atomic',
        printsNull: true,
        description: 'Versions in which objects may be stored.',
      }),
      observedGeneration: int64({
        omitEmpty: true,
        description: 'metadata.generation that this was seen at.',
      }),
    },
    { description: 'How far the resource is served.' },
  ),
);

export interface Names {
  plural?: string;
  singular?: string;
  shortNames?: readonly string[];
  kind?: string;
  listKind?: string;
  categories?: readonly string[];
}
export interface Subresources {
  readonly status?: object;
  readonly scale?: {
    readonly specReplicasPath?: string;
    readonly statusReplicasPath?: string;
    readonly labelSelectorPath?: string;
  };
}
export interface Column {
  readonly name?: string;
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath?: string;
}
export interface SelectableField {
  readonly jsonPath?: string;
}
export interface Version {
  readonly name?: string;
  readonly served?: boolean;
  readonly storage?: boolean;
  readonly deprecated?: boolean;
  readonly deprecationWarning?: string;
  readonly schema?: { readonly openAPIV3Schema?: JsonSchema };
  readonly subresources?: Subresources;
  readonly additionalPrinterColumns?: readonly Column[];
  readonly selectableFields?: readonly SelectableField[];
}
export interface Conversion {
  readonly strategy?: string;
  readonly webhook?: {
    readonly clientConfig?: WebhookClientConfig;
    readonly conversionReviewVersions?: readonly string[] | null;
  };
}
export interface Spec {
  group?: string;
  names?: Names;
  scope?: string;
  versions?: readonly Version[] | null;
  conversion?: Conversion;
  preserveUnknownFields?: boolean;
}
export interface Status {
  conditions?: readonly { readonly type?: string; readonly status?: string }[] | null;
  acceptedNames?: Names;
  storedVersions?: readonly string[] | null;
}

export const specOf = (object: KubeObject): Spec => object['spec'] ?? {};
export const statusOf = (object: KubeObject): Status => object['status'] ?? {};
export const versionsOf = (spec: Spec): readonly Version[] => spec.versions ?? [];
