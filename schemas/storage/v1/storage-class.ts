/** StorageClass: how volumes are made that claims ask for. */
import { addAll } from '../../add-all.js';
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../../field-error.js';
import { bool, list, map, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { FIELD_IMMUTABLE, validateLabelName } from '../../validation/metadata.js';
import { byteLength, nameIs, qualifiedName } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import { sameStrings } from '../../core/v1/key-values.js';

/** Parameters for a provisioner, and their keys and values together. */
const PARAMETERS_MAX = 512;
const PARAMETERS_BYTES_MAX = 256 * 1024;

const topologySelectorLabelRequirement = once(() =>
  struct(
    'io.k8s.api.core.v1.TopologySelectorLabelRequirement',
    {
      key: text({ default: '' }),
      values: list(text(), { listType: 'atomic', printsNull: true, description: 'One of these.' }),
    },
    { description: 'One label and its values.', required: ['key', 'values'] },
  ),
);

const topologySelectorTerm = once(() =>
  struct(
    'io.k8s.api.core.v1.TopologySelectorTerm',
    { matchLabelExpressions: list(topologySelectorLabelRequirement(), { listType: 'atomic' }) },
    { description: 'Labels of a place, all of which must match.', mapType: 'atomic' },
  ),
);

const RECLAIM_POLICIES = ['Delete', 'Retain'];
const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer'];

interface Requirement {
  readonly key?: string;
  readonly values?: readonly string[] | null;
}
interface StorageClass {
  provisioner?: string;
  parameters?: Readonly<Record<string, string>>;
  reclaimPolicy?: string;
  allowVolumeExpansion?: boolean;
  volumeBindingMode?: string;
  allowedTopologies?: readonly { readonly matchLabelExpressions?: readonly Requirement[] }[];
}
const read = (object: KubeObject) => object as StorageClass;

/** Whether its volumes can be made larger. */
export const expands = (object: KubeObject): boolean => read(object).allowVolumeExpansion === true;

/** Annotations, of which one suffices. */
export const DEFAULT_MARKS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

/** The class of claims that name none. */
const isDefault = ({ metadata }: KubeObject): boolean =>
  DEFAULT_MARKS.some((mark) => metadata.annotations?.[mark] === 'true');

/** The name of who makes volumes. */
export function validateProvisioner(provisioner: string, field: string): FieldError[] {
  if (provisioner === '') return [required(field)];
  const problems = qualifiedName(provisioner.toLowerCase());
  return problems.map((problem) => invalid(field, provisioner, problem));
}

/** Of classes that hand parameters to a driver. */
export function validateParameters(
  parameters: Readonly<Record<string, string>> | undefined,
  { allowEmpty }: { readonly allowEmpty: boolean },
): FieldError[] {
  const entries = Object.entries(parameters ?? {});
  if (entries.length === 0 && !allowEmpty) {
    return [required('parameters', 'must contain at least one key/value pair')];
  }
  if (entries.length > PARAMETERS_MAX) return [tooLong('parameters', PARAMETERS_MAX)];
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of entries) {
    if (key === '') errors.push(invalid('parameters', key, 'field can not be empty.'));
    bytes += byteLength(key) + byteLength(value);
  }
  if (bytes > PARAMETERS_BYTES_MAX) errors.push(tooLong('parameters', PARAMETERS_BYTES_MAX));
  return errors;
}

/** Upstream tells of all, which are as many as the square of the terms: a body of 3 MB could ask for 10¹². */
const DUPLICATES_TOLD_MAX = 1000;

function validateTopologies(terms: NonNullable<StorageClass['allowedTopologies']>): FieldError[] {
  const errors: FieldError[] = [];
  const timesSeen = new Map<string, number>();
  let told = 0;
  for (const [i, { matchLabelExpressions = [] }] of terms.entries()) {
    const path = `allowedTopologies[${i}].matchLabelExpressions`;
    const valuesOf = validateTopologyTerm(errors, matchLabelExpressions, path);
    const term = JSON.stringify([...valuesOf].sort(([a], [b]) => (a < b ? -1 : 1)));
    // Upstream compares each term with an empty one for each term that there is, and then with those before it.
    const same = (timesSeen.get(term) ?? 0) + (valuesOf.size === 0 ? terms.length : 0);
    for (let n = 0; n < same && told < DUPLICATES_TOLD_MAX; n++, told++) errors.push(duplicate(path, ''));
    timesSeen.set(term, (timesSeen.get(term) ?? 0) + 1);
  }
  return errors;
}

/** Gives the values of each key, sorted: terms are the same whatever their order. */
function validateTopologyTerm(
  errors: FieldError[],
  expressions: readonly Requirement[],
  field: string,
): ReadonlyMap<string, readonly string[]> {
  const valuesOf = new Map<string, readonly string[]>();
  for (const [i, { key = '', values }] of expressions.entries()) {
    const path = `${field}[${i}]`;
    const seen = new Set<string>();
    if ((values ?? []).length === 0) errors.push(required(`${path}.values`));
    for (const [j, value] of (values ?? []).entries()) {
      if (seen.has(value)) errors.push(duplicate(`${path}.values[${j}]`, value));
      seen.add(value);
    }
    addAll(errors, validateLabelName(key, `${path}.key`));
    if (valuesOf.has(key)) errors.push(duplicate(`${path}.key`, key));
    valuesOf.set(key, [...seen].sort());
  }
  return valuesOf;
}

function validate(object: KubeObject): FieldError[] {
  const {
    provisioner = '',
    parameters,
    reclaimPolicy = '',
    volumeBindingMode,
    allowedTopologies = [],
  } = read(object);
  const errors = [
    ...validateProvisioner(provisioner, 'provisioner'),
    ...validateParameters(parameters, { allowEmpty: true }),
  ];
  if (reclaimPolicy !== '' && !RECLAIM_POLICIES.includes(reclaimPolicy)) {
    errors.push(notSupported('reclaimPolicy', reclaimPolicy, RECLAIM_POLICIES));
  }
  if (volumeBindingMode === undefined) errors.push(required('volumeBindingMode'));
  else if (!BINDING_MODES.includes(volumeBindingMode)) {
    errors.push(notSupported('volumeBindingMode', volumeBindingMode, BINDING_MODES));
  }
  return [...errors, ...validateTopologies(allowedTopologies)];
}

function validateUpdate(object: KubeObject, oldObject: KubeObject): FieldError[] {
  const now = read(object);
  const old = read(oldObject);
  const errors: FieldError[] = [];
  const keep = (field: 'parameters' | 'provisioner' | 'reclaimPolicy', same: boolean) => {
    if (!same) errors.push(forbidden(field, `updates to ${field} are forbidden.`));
  };
  keep('parameters', sameStrings(now.parameters, old.parameters));
  keep('provisioner', now.provisioner === old.provisioner);
  keep('reclaimPolicy', now.reclaimPolicy === old.reclaimPolicy);
  if (now.volumeBindingMode !== old.volumeBindingMode) {
    errors.push(invalid('volumeBindingMode', now.volumeBindingMode, FIELD_IMMUTABLE));
  }
  return errors;
}

const strategy: Strategy = {
  defaults(object) {
    const storageClass = read(object);
    storageClass.reclaimPolicy ??= 'Delete';
    storageClass.volumeBindingMode ??= 'Immediate';
  },
  validate,
  validateUpdate,
};

const DESCRIPTION = 'How volumes are made that claims ask for.';

export const storageClasses: ResourceDefinition = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  listKind: 'StorageClassList',
  plural: 'storageclasses',
  singular: 'storageclass',
  shortNames: ['sc'],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'storageclasses',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      'io.k8s.api.storage.v1.StorageClass',
      {
        provisioner: text({ default: '', description: 'Who makes the volumes. Never changes.' }),
        parameters: map(text(), { description: 'For the provisioner to read. Never change.' }),
        reclaimPolicy: text({
          enum: ['Delete', 'Recycle', 'Retain'],
          description: 'What becomes of a volume whose claim is gone.',
        }),
        mountOptions: list(text(), { listType: 'atomic', description: 'Options of its mounts, unchecked.' }),
        allowVolumeExpansion: bool({ description: 'Whether claims may be made larger.' }),
        volumeBindingMode: text({
          enum: BINDING_MODES,
          description: 'Whether volumes are made at once, or when a pod first needs them.',
        }),
        allowedTopologies: list(topologySelectorTerm(), {
          listType: 'atomic',
          description: 'Where its volumes may be.',
        }),
      },
      { description: DESCRIPTION, required: ['provisioner'] },
    ),
  ),
  strategy,
  subresources: [],
  columns: [
    {
      ...nameColumn,
      cell: (object) => `${object.metadata.name ?? ''}${isDefault(object) ? ' (default)' : ''}`,
    },
    column('Provisioner', 'Who makes the volumes.', (object) => read(object).provisioner ?? ''),
    column(
      'ReclaimPolicy',
      'What becomes of a volume without a claim.',
      (object) => read(object).reclaimPolicy ?? 'Delete',
    ),
    column(
      'VolumeBindingMode',
      'When volumes are made.',
      (object) => read(object).volumeBindingMode ?? 'Immediate',
    ),
    column(
      'AllowVolumeExpansion',
      'Whether claims may grow.',
      (object) => read(object).allowVolumeExpansion ?? false,
    ),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
};
