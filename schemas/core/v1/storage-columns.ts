/** What the tables of volumes and of claims show alike. */
import { column } from '../../columns.js';
import type { KubeObject } from '../../definition.js';
import { CLASS_ANNOTATION } from './persistent-volume-claim-update.js';

interface Stored {
  readonly spec?: {
    readonly storageClassName?: string;
    readonly volumeAttributesClassName?: string;
    readonly volumeMode?: string;
  };
}

const specOf = (object: KubeObject): NonNullable<Stored['spec']> => (object as Stored).spec ?? {};

/** Of a volume or a claim; the annotation goes first, as with whoever provisions. */
export const storageClassOf = (object: KubeObject): string | undefined =>
  object.metadata.annotations?.[CLASS_ANNOTATION] ?? specOf(object).storageClassName;

export const storageClassColumn = (description: string) =>
  column('StorageClass', description, (object) => storageClassOf(object) ?? '');

export const attributesClassColumn = (description: string) =>
  column(
    'VolumeAttributesClass',
    description,
    (object) => specOf(object).volumeAttributesClassName ?? '<unset>',
  );

export const volumeModeColumn = column(
  'VolumeMode',
  'A file system or a raw device.',
  (object) => specOf(object).volumeMode ?? '<unset>',
  { priority: 1 },
);
