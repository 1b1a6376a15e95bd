/** What may change in a persistent volume: who may have it, but not where it is. */
import { isDeepStrictEqual } from 'node:util';
import { type FieldError, forbidden, invalid } from '../../field-error.js';
import { FIELD_IMMUTABLE } from '../../validation/metadata.js';
import { unifiedDiff } from '../../validation/unified-diff.js';
import { internalStruct } from './internal-form.js';
import {
  type PersistentVolumeSpec,
  type VolumeNodeAffinity,
  volumeNodeAffinity,
} from './persistent-volume-schema.js';
import { type PersistentVolumeSource, persistentVolumeSource } from './persistent-volume-sources.js';

const IMMUTABLE = 'spec.persistentvolumesource is immutable after creation';

export function validateVolumeUpdate(
  errors: FieldError[],
  spec: PersistentVolumeSpec,
  old: PersistentVolumeSpec,
): void {
  const [now, before] = [withoutNewExpandSecret(spec, old), old].map(sourceOf) as [Printed, Printed];
  if (!isDeepStrictEqual(now, before)) {
    errors.push(
      forbidden('spec.persistentvolumesource', `${IMMUTABLE}\n${unifiedDiff(lines(before), lines(now))}`),
    );
  }
  if (spec.volumeMode !== old.volumeMode) {
    errors.push(invalid('volumeMode', spec.volumeMode ?? null, FIELD_IMMUTABLE));
  }
  if (old.nodeAffinity && !isSameAffinity(spec.nodeAffinity, old.nodeAffinity)) {
    const shown = spec.nodeAffinity && internalStruct(volumeNodeAffinity(), spec.nodeAffinity);
    const problem = `${FIELD_IMMUTABLE}, except for updating from beta label to GA`;
    errors.push(invalid('nodeAffinity', shown, problem));
  }
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    const problem = 'update from non-nil value to nil is forbidden';
    errors.push(forbidden('spec.volumeAttributesClassName', problem));
  }
}

/** The Secret for expansions may be named later, once. */
function withoutNewExpandSecret(spec: PersistentVolumeSpec, old: PersistentVolumeSpec): PersistentVolumeSpec {
  if (!spec.csi?.controllerExpandSecretRef || !old.csi || old.csi.controllerExpandSecretRef) return spec;
  const { controllerExpandSecretRef: _, ...csi } = spec.csi;
  return { ...spec, csi };
}

type Printed = ReturnType<typeof internalStruct>;

const sourceOf = (spec: PersistentVolumeSource): Printed =>
  internalStruct(persistentVolumeSource(), { ...spec });

const lines = (source: Printed): string[] => JSON.stringify(source, undefined, ' ').split('\n');

/** What labels of nodes are called today, by their former names. */
const RENAMED_LABELS: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
};

/** But for labels that have got their present names. */
function isSameAffinity(affinity: VolumeNodeAffinity | undefined, old: VolumeNodeAffinity): boolean {
  const terms = affinity?.required?.nodeSelectorTerms ?? [];
  const renamed = (old.required?.nodeSelectorTerms ?? []).map((term, i) => ({
    ...term,
    ...renamedIn('matchExpressions', term, terms[i]),
    ...renamedIn('matchFields', term, terms[i]),
  }));
  return isDeepStrictEqual(
    { ...affinity, required: affinity?.required && { ...affinity.required, nodeSelectorTerms: terms } },
    { ...old, required: old.required && { ...old.required, nodeSelectorTerms: renamed } },
  );
}

type Term = NonNullable<NonNullable<VolumeNodeAffinity['required']>['nodeSelectorTerms']>[number];

function renamedIn(list: 'matchExpressions' | 'matchFields', old: Term, term: Term | undefined): Term {
  const requirements = old[list];
  if (requirements === undefined) return {};
  return {
    [list]: requirements.map((requirement, i) => {
      const { key = '' } = requirement;
      const now = term?.[list]?.[i]?.key;
      const isRenamed = Object.hasOwn(RENAMED_LABELS, key) && RENAMED_LABELS[key] === now;
      return isRenamed ? { ...requirement, key: now } : requirement;
    }),
  };
}
