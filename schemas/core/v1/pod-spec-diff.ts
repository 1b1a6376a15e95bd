/**
 * What changed in a pod spec, as upstream's message about a forbidden update shows it: a diff of upstream's internal
 * structs, printed as JSON with an indent of one space. People search for these messages, and the line numbers and
 * neighbours are part of them.
 */
import { unifiedDiff } from '../../validation/unified-diff.js';
import { internalPodSpec } from './internal-form.js';
import type { PodSpec } from './pod-spec.js';

export function podSpecDiff(old: PodSpec, spec: PodSpec): string {
  return unifiedDiff(printed(old), printed(spec));
}

const printed = (spec: PodSpec): string[] =>
  JSON.stringify(internalPodSpec(spec), undefined, ' ').split('\n');
