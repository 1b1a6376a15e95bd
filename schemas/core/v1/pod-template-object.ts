/** PodTemplate: a pod template as an object of its own, for controllers that refer to one. */
import { formatLabels, nameColumn, column } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { describe, once } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import {
  defaultPodTemplate,
  type PodTemplateSpec,
  podTemplateSpec,
  validatePodTemplate,
} from './pod-template.js';
import { containerColumns } from './pod-template-columns.js';
import { isNewIntent, podTemplateWarnings } from './pod-warnings.js';

const DESCRIPTION = 'What pods of a controller look like, as an object of its own.';

const templateOf = (object: KubeObject): PodTemplateSpec => object['template'] ?? {};

const strategy: Strategy = {
  defaults: (object) => defaultPodTemplate(templateOf(object)),
  validate: (object) => validatePodTemplate(templateOf(object), 'template'),
  warnings: (object, old) =>
    isNewIntent(object, old) ? podTemplateWarnings(templateOf(object), 'template') : [],
};

export const podTemplates: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  listKind: 'PodTemplateList',
  plural: 'podtemplates',
  singular: 'podtemplate',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'podtemplates',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      'io.k8s.api.core.v1.PodTemplate',
      { template: describe(podTemplateSpec(), { default: {} }) },
      { description: DESCRIPTION },
    ),
  ),
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    ...containerColumns(templateOf),
    column('Pod Labels', 'Labels of its pods.', (o) => formatLabels(templateOf(o).metadata?.labels)),
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
};
