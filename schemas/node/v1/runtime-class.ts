/** RuntimeClass: a way to run containers that pods may name, such as a sandbox. */
import { addAll } from '../../add-all.js';
import { ageColumn, column, nameColumn } from '../../columns.js';
import { internalStruct } from '../../core/v1/internal-form.js';
import { resourceList } from '../../core/v1/pod-resources.js';
import { validateResources } from '../../core/v1/pod-resource-validation.js';
import { type Toleration, toleration } from '../../core/v1/pod-scheduling.js';
import { validateTolerations } from '../../core/v1/pod-scheduling-validation.js';
import { deprecatedNodeLabel } from '../../core/v1/pod-warnings.js';
import { roundToMilli } from '../../core/v1/resource-lists.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { duplicate, type FieldError, invalid } from '../../field-error.js';
import { describe, list, map, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { FIELD_IMMUTABLE, invalidEach, validateLabels } from '../../validation/metadata.js';
import { dns1123Label, nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';

const NODE = 'io.k8s.api.node.v1';
const DESCRIPTION = 'A way to run containers, which pods name in runtimeClassName.';

const overhead = once(() =>
  struct(
    `${NODE}.Overhead`,
    { podFixed: resourceList({ description: 'Of each pod.' }) },
    { description: 'What running this way costs beside the containers.' },
  ),
);

const scheduling = once(() =>
  struct(
    `${NODE}.Scheduling`,
    {
      nodeSelector: map(text(), {
        mapType: 'atomic',
        description: "Labels of nodes that can run it; pods' own selectors are added.",
      }),
      tolerations: list(toleration(), { listType: 'atomic', description: 'Given to its pods.' }),
    },
    { description: 'Which nodes can run it.' },
  ),
);

export interface RuntimeClass {
  readonly handler?: string;
  readonly overhead?: { podFixed?: Readonly<Record<string, string>> };
  readonly scheduling?: {
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly tolerations?: readonly Toleration[];
  };
}
export const read = (object: KubeObject) => object as RuntimeClass;

/** No toleration is there twice, whatever its seconds. */
function validateDifferent(errors: FieldError[], tolerations: readonly Toleration[], field: string): void {
  const seen = new Set<string>();
  for (const [i, item] of tolerations.entries()) {
    const { key = '', operator = '', value = '', effect = '' } = item;
    const identity = JSON.stringify([key, operator, value, effect]);
    if (seen.has(identity)) {
      errors.push(duplicate(`${field}[${i}]`, internalStruct(toleration(), { ...item })));
    }
    seen.add(identity);
  }
}

function validate(object: KubeObject): FieldError[] {
  const { handler = '', overhead: costs, scheduling: where } = read(object);
  const errors: FieldError[] = [];
  invalidEach(errors, 'handler', handler, dns1123Label(handler));
  if (costs) validateResources(errors, { limits: costs.podFixed }, 'overhead', new Set());
  if (where) {
    const { nodeSelector, tolerations = [] } = where;
    addAll(errors, validateLabels(nodeSelector, 'scheduling.nodeSelector'));
    validateTolerations(errors, tolerations, 'scheduling.tolerations');
    validateDifferent(errors, tolerations, 'scheduling.tolerations');
  }
  return errors;
}

const strategy: Strategy = {
  defaults(object) {
    const { overhead: costs } = read(object);
    if (costs) roundToMilli(costs, 'podFixed');
  },
  validate,
  validateUpdate(object, old) {
    const { handler } = read(object);
    return handler === read(old).handler ? [] : [invalid('handler', handler, FIELD_IMMUTABLE)];
  },
  warnings(object) {
    const warnings: string[] = [];
    for (const label of Object.keys(read(object).scheduling?.nodeSelector ?? {})) {
      const warning = deprecatedNodeLabel(label);
      if (warning) warnings.push(`scheduling.nodeSelector: ${warning}`);
    }
    return warnings;
  },
};

export const runtimeClasses: ResourceDefinition = {
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  listKind: 'RuntimeClassList',
  plural: 'runtimeclasses',
  singular: 'runtimeclass',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'runtimeclasses',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${NODE}.RuntimeClass`,
      {
        handler: text({
          default: '',
          description: "Name of a configuration of the nodes' container runtimes. Never changes.",
        }),
        overhead: describe(overhead(), { description: 'What its pods cost beside their containers.' }),
        scheduling: describe(scheduling(), { description: 'Which nodes can run it; all if absent.' }),
      },
      { description: DESCRIPTION, required: ['handler'] },
    ),
  ),
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    column('Handler', 'Configuration of the container runtimes.', (object) => read(object).handler ?? ''),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: true,
};
