/** VolumeAttachment: asks that a volume is attached to a node, and says whether it is. */
import { isDeepStrictEqual } from 'node:util';
import { ageColumn, column, nameColumn } from '../../columns.js';
import { internalStruct } from '../../core/v1/internal-form.js';
import { defaultVolumeSpec } from '../../core/v1/persistent-volume-defaults.js';
import { validateInlineVolumeSpec } from '../../core/v1/persistent-volume-validation.js';
import { validateDriverName } from '../../core/v1/pod-volume-validation.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, forbidden, invalid, required, tooLong } from '../../field-error.js';
import { keepAllButStatus, keepStatus } from '../../meta/status.js';
import { FIELD_IMMUTABLE, invalidEach } from '../../validation/metadata.js';
import { byteLength, dns1123Subdomain, nameIs, rangeProblem } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import {
  VOLUME_ATTACHMENT_DESCRIPTION,
  volumeAttachment,
  type VolumeAttachmentSpec,
  volumeAttachmentSpec,
  type VolumeAttachmentStatus,
} from './volume-attachment-schema.js';

const METADATA_BYTES_MAX = 256 * 1024;
const MESSAGE_BYTES_MAX = 1024;
const ERROR_CODE_MAX = 2 ** 31 - 1;
const ONE_SOURCE = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';

const specOf = (attachment: KubeObject): VolumeAttachmentSpec => attachment['spec'] ?? {};
const statusOf = (attachment: KubeObject): VolumeAttachmentStatus => attachment['status'] ?? {};

function defaults(object: KubeObject): void {
  const inline = specOf(object).source?.inlineVolumeSpec;
  if (inline) defaultVolumeSpec(inline);
}

function validate(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const { attacher = '', source = {}, nodeName = '' } = specOf(object);
  if (attacher === '') errors.push(required('spec.attacher'));
  validateSource(errors, source, 'spec.source');
  invalidEach(errors, 'spec.nodeName', nodeName, dns1123Subdomain(nodeName));
  validateStatus(errors, statusOf(object));
  return errors;
}

function validateSource(
  errors: FieldError[],
  { persistentVolumeName: name, inlineVolumeSpec: inline }: NonNullable<VolumeAttachmentSpec['source']>,
  field: string,
): void {
  if (inline && name !== undefined) errors.push(forbidden(field, ONE_SOURCE));
  else if (inline) validateInlineVolumeSpec(errors, inline, `${field}.inlineVolumeSpec`);
  else if (name === undefined) errors.push(required(field, ONE_SOURCE));
  else if (name === '') {
    errors.push(required(`${field}.persistentVolumeName`, 'must specify non empty persistentVolumeName'));
  }
}

function validateStatus(errors: FieldError[], status: VolumeAttachmentStatus): void {
  let bytes = 0;
  for (const [key, value] of Object.entries(status.attachmentMetadata ?? {})) {
    bytes += byteLength(key) + byteLength(value);
  }
  if (bytes > METADATA_BYTES_MAX) errors.push(tooLong('status.attachmentMetadata', METADATA_BYTES_MAX));
  for (const name of ['attachError', 'detachError'] as const) {
    const { message = '', errorCode: code = 0 } = status[name] ?? {};
    // Upstream names the other limit.
    if (byteLength(message) > MESSAGE_BYTES_MAX) {
      errors.push(tooLong(`status.${name}.message`, METADATA_BYTES_MAX));
    }
    if (code < 0) errors.push(invalid(`status.${name}.errorCode`, code, rangeProblem(0, ERROR_CODE_MAX)));
  }
}

/** Of new ones only: those of former versions of the API may have other names. */
function validateNames(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const { attacher = '', source } = specOf(object);
  validateDriverName(errors, attacher, 'spec.attacher');
  const name = source?.persistentVolumeName;
  if (name !== undefined) {
    invalidEach(errors, 'spec.source.persistentVolumeName', name, dns1123Subdomain(name));
  }
  return errors;
}

function validateUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  // Upstream looks at all of it twice.
  const errors = validate(object);
  const spec = specOf(object);
  if (!isDeepStrictEqual(spec, specOf(old))) {
    errors.push(invalid('spec', internalStruct(volumeAttachmentSpec(), spec), FIELD_IMMUTABLE));
  }
  return errors;
}

const strategy: Strategy = {
  defaults,
  prepareForCreate(object) {
    object['status'] = { attached: false };
  },
  prepareForUpdate: keepStatus,
  validate,
  validateCreate: validateNames,
  validateUpdate,
};

const statusStrategy: Strategy = { defaults, prepareForUpdate: keepAllButStatus, validate, validateUpdate };

export const volumeAttachments: ResourceDefinition = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  listKind: 'VolumeAttachmentList',
  plural: 'volumeattachments',
  singular: 'volumeattachment',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'volumeattachments',
  description: VOLUME_ATTACHMENT_DESCRIPTION,
  schema: volumeAttachment,
  strategy,
  subresources: [
    {
      name: 'status',
      verbs: SUBRESOURCE_VERBS,
      strategy: statusStrategy,
      resetFields: ['metadata', 'spec'],
    },
  ],
  columns: [
    nameColumn,
    column('Attacher', 'The driver that does it.', (object) => specOf(object).attacher ?? '', {
      format: 'name',
    }),
    column('PV', 'The volume.', (object) => specOf(object).source?.persistentVolumeName ?? ''),
    column('Node', 'The node.', (object) => specOf(object).nodeName ?? ''),
    column('Attached', 'Whether it is.', (object) => statusOf(object).attached ?? false, {
      type: 'boolean',
    }),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
};
