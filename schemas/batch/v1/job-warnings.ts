/** What is allowed in jobs and yet most likely not meant. */
import { podTemplateWarnings } from '../../core/v1/pod-warnings.js';
import { isIndexed, type JobSpec } from './job-schema.js';

const MANY_COMPLETIONS = 100_000;
const MUCH_PARALLELISM = 10_000;

/** `field` is the path of the spec. */
export function jobSpecWarnings(spec: JobSpec, field: string): string[] {
  const { completions = 0, parallelism = 0, template = {} } = spec;
  const warnings = podTemplateWarnings(template, `${field}.template`);
  if (isIndexed(spec) && completions > MANY_COMPLETIONS && parallelism > MUCH_PARALLELISM) {
    warnings.unshift(
      `${field}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
    );
  }
  return warnings;
}
