/** The template from which controllers make pods. */
import type * as z from 'zod';
import { addAll } from '../../add-all.js';
import { type FieldError, forbidden, notSupported } from '../../field-error.js';
import { describe, once, struct } from '../../fields.js';
import { objectMeta } from '../../meta/v1.js';
import { validateAnnotations, validateLabels } from '../../validation/metadata.js';
import { validatePodAnnotations } from './pod-annotation-validation.js';
import { defaultPodSpec } from './pod-defaults.js';
import { podSpec } from './pod-spec.js';
import { validatePodSpec } from './pod-validation.js';

export type PodTemplateSpec = z.infer<ReturnType<typeof podTemplateSpec>>;

export const podTemplateSpec = once(() =>
  struct(
    'io.k8s.api.core.v1.PodTemplateSpec',
    {
      metadata: describe(objectMeta(), { default: {} }),
      spec: describe(podSpec(), { default: {} }),
    },
    { description: 'What the pods of a controller look like.' },
  ),
);

/** Sets what is absent, in place. */
export function defaultPodTemplate(template: PodTemplateSpec): void {
  template.metadata ??= {};
  template.spec ??= {};
  defaultPodSpec(template.spec);
}

export function validatePodTemplate(template: PodTemplateSpec, field: string): FieldError[] {
  const { metadata = {}, spec = {} } = template;
  const errors = [
    ...validateLabels(metadata.labels, `${field}.labels`),
    ...validateAnnotations(metadata.annotations, `${field}.annotations`),
  ];
  validatePodAnnotations(errors, metadata.annotations, spec, `${field}.annotations`);
  addAll(errors, validatePodSpec(spec, `${field}.spec`));
  if (spec.ephemeralContainers) {
    errors.push(
      forbidden(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'),
    );
  }
  return errors;
}

/** Pods of controllers other than jobs run until they are deleted. `kind` is the controller's. */
export function validateRunsForever(
  errors: FieldError[],
  { spec = {} }: PodTemplateSpec,
  kind: string,
  field: string,
): void {
  const { restartPolicy = '', activeDeadlineSeconds } = spec;
  if (restartPolicy !== 'Always') {
    errors.push(notSupported(`${field}.spec.restartPolicy`, restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const problem = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbidden(`${field}.spec.activeDeadlineSeconds`, problem));
  }
}
