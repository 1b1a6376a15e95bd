/** The structs of VolumeAttachment. */
import type * as z from 'zod';
import { persistentVolumeSpec } from '../../core/v1/persistent-volume-schema.js';
import { bool, describe, int32, map, once, struct, text } from '../../fields.js';
import { kubeObject, time } from '../../meta/v1.js';

export type VolumeAttachmentSpec = z.infer<ReturnType<typeof volumeAttachmentSpec>>;
export type VolumeAttachmentStatus = z.infer<ReturnType<typeof volumeAttachmentStatus>>;

const STORAGE = 'io.k8s.api.storage.v1';

export const VOLUME_ATTACHMENT_DESCRIPTION =
  'Asks that a volume is attached to a node, and says whether it is.';

const volumeAttachmentSource = once(() =>
  struct(
    `${STORAGE}.VolumeAttachmentSource`,
    {
      persistentVolumeName: text(),
      inlineVolumeSpec: describe(persistentVolumeSpec(), {
        description: 'A volume that a pod itself describes, in the form of a persistent one.',
      }),
    },
    { description: 'The volume; exactly one field is set.' },
  ),
);

export const volumeAttachmentSpec = once(() =>
  struct(
    `${STORAGE}.VolumeAttachmentSpec`,
    {
      attacher: text({ default: '', description: 'The driver that does it.' }),
      source: describe(volumeAttachmentSource(), { default: {} }),
      nodeName: text({ default: '' }),
    },
    {
      description: 'Which volume, to which node. Never changes.',
      required: ['attacher', 'source', 'nodeName'],
    },
  ),
);

const volumeError = once(() =>
  struct(
    `${STORAGE}.VolumeError`,
    {
      time: time({ printsNull: true }),
      message: text({ omitEmpty: true }),
      errorCode: int32({ description: "The driver's gRPC code." }),
    },
    { description: 'What went wrong the last time.' },
  ),
);

const volumeAttachmentStatus = once(() =>
  struct(
    `${STORAGE}.VolumeAttachmentStatus`,
    {
      attached: bool({ default: false }),
      attachmentMetadata: map(text(), { description: 'For those who mount the volume.' }),
      attachError: describe(volumeError(), { description: 'Why it could not be attached.' }),
      detachError: describe(volumeError(), { description: 'Why it could not be detached.' }),
    },
    { description: 'Whether the volume is attached. The driver writes it.', required: ['attached'] },
  ),
);

export const volumeAttachment = once(() =>
  kubeObject(
    `${STORAGE}.VolumeAttachment`,
    {
      spec: describe(volumeAttachmentSpec(), { default: {} }),
      status: describe(volumeAttachmentStatus(), { default: {} }),
    },
    { description: VOLUME_ATTACHMENT_DESCRIPTION, required: ['spec'] },
  ),
);
