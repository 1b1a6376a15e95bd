/** ControllerRevision: an earlier state of a StatefulSet's or DaemonSet's template, to go back to. */
import { isDeepStrictEqual } from 'node:util';
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition } from '../../definition.js';
import { type FieldError, invalid, required } from '../../field-error.js';
import { int64, once } from '../../fields.js';
import { rawExtension } from '../../meta/scalars.js';
import { kubeObject } from '../../meta/v1.js';
import { FIELD_IMMUTABLE, validateNotNegative } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';

const DESCRIPTION = 'One state of a template, which its StatefulSet or DaemonSet can go back to.';

const revisionOf = (object: KubeObject): number => (object['revision'] as number | undefined) ?? 0;

function validateCreate(object: KubeObject): FieldError[] {
  const data = object['data'] ?? undefined;
  const errors: FieldError[] = [];
  validateNotNegative(errors, 'revision', revisionOf(object));
  if (data === undefined) errors.push(required('data', 'data is mandatory'));
  else if (typeof data !== 'object' || Array.isArray(data)) {
    errors.push(required('data', 'data must be a valid JSON object'));
  }
  return errors;
}

function validateUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  validateNotNegative(errors, 'revision', revisionOf(object));
  if (!isDeepStrictEqual(object['data'], old['data'])) {
    errors.push(invalid('data', object['data'], FIELD_IMMUTABLE));
  }
  return errors;
}

/** `statefulset.apps/web`: the owner that manages it. */
function controllerOf({ metadata: { ownerReferences = [] } }: KubeObject): string {
  const owner = ownerReferences.find(({ controller }) => controller === true);
  if (owner === undefined) return '<none>';
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/', 1)[0]}` : '';
  return `${owner.kind.toLowerCase()}${group.toLowerCase()}/${owner.name}`;
}

export const controllerRevisions: ResourceDefinition = {
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  listKind: 'ControllerRevisionList',
  plural: 'controllerrevisions',
  singular: 'controllerrevision',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'controllerrevisions',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      'io.k8s.api.apps.v1.ControllerRevision',
      {
        data: rawExtension({ description: 'The state, as its controller keeps it. Never changes.' }),
        revision: int64({ default: 0, description: 'Later states have larger numbers.' }),
      },
      { description: DESCRIPTION, required: ['revision'] },
    ),
  ),
  strategy: { validateCreate, validateUpdate },
  subresources: [],
  columns: [
    nameColumn,
    column('Controller', 'The workload that it is a state of.', controllerOf),
    column('Revision', 'Its number.', revisionOf),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
