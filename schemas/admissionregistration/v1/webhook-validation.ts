/** Rules of webhook configurations. What older releases let through may stay when the rest is updated. */
import { addAll } from '../../add-all.js';
import { duplicate, type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { validateLabelSelector } from '../../validation/metadata.js';
import { dns1123Subdomain } from '../../validation/names.js';
import {
  hasKnownVersion,
  REVIEW_VERSIONS,
  validateReviewVersions,
} from '../../validation/review-versions.js';
import type { LabelSelector } from '../../validation/selectors.js';
import { validateWebhookClient } from '../../validation/webhook-client.js';
import { validateMatchConditions } from './match-conditions.js';
import { validateRule } from './rules.js';
import { FAILURE_POLICIES, MATCH_POLICIES, REINVOCATION_POLICIES, type Webhook } from './webhook-schema.js';

const NO_SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const ALL_SIDE_EFFECTS = [...NO_SIDE_EFFECTS, 'Some', 'Unknown'];

const TIMEOUT_SECONDS_MAX = 30;
const NAME_SEGMENTS_MIN = 3;

/** What is asked of webhooks beyond what was always asked. */
interface Demands {
  readonly noSideEffects: boolean;
  readonly knownReviewVersion: boolean;
  readonly uniqueNames: boolean;
  readonly validSelectorValues: boolean;
  readonly matchConditions: boolean;
}

const ALL: Demands = {
  noSideEffects: true,
  knownReviewVersion: true,
  uniqueNames: true,
  validSelectorValues: true,
  matchConditions: true,
};

export const validateNewWebhooks = (webhooks: readonly Webhook[]): FieldError[] => validate(webhooks, ALL);

export function validateChangedWebhooks(now: readonly Webhook[], old: readonly Webhook[]): FieldError[] {
  return validate(now, {
    noSideEffects: old.every(({ sideEffects = '' }) => NO_SIDE_EFFECTS.includes(sideEffects)),
    knownReviewVersion: old.every(({ admissionReviewVersions }) => {
      const versions = admissionReviewVersions ?? [];
      return versions.length === 0 || hasKnownVersion(versions);
    }),
    uniqueNames: new Set(old.map(({ name }) => name)).size === old.length,
    validSelectorValues: old.every(
      ({ namespaceSelector, objectSelector }) => isValid(namespaceSelector) && isValid(objectSelector),
    ),
    matchConditions: conditionsOf(now) !== conditionsOf(old),
  });
}

const isValid = (selector: LabelSelector | undefined): boolean =>
  validateLabelSelector(selector, '').length === 0;

const conditionsOf = (webhooks: readonly Webhook[]): string =>
  JSON.stringify(webhooks.map(({ matchConditions }) => matchConditions));

function validate(webhooks: readonly Webhook[], demands: Demands): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, webhook] of webhooks.entries()) {
    const path = `webhooks[${i}]`;
    const { name = '', admissionReviewVersions } = webhook;
    addAll(errors, validateWebhook(webhook, path, demands));
    addAll(
      errors,
      validateReviewVersions(admissionReviewVersions ?? [], `${path}.admissionReviewVersions`, {
        missing: `must specify one of ${REVIEW_VERSIONS.join(', ')}`,
        known: demands.knownReviewVersion,
      }),
    );
    if (!demands.uniqueNames || name === '') continue;
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
  }
  return errors;
}

function validateWebhook(webhook: Webhook, path: string, demands: Demands): FieldError[] {
  const errors = validateQualified(webhook.name ?? '', `${path}.name`);
  for (const [i, rule] of (webhook.rules ?? []).entries()) {
    addAll(errors, validateRule(rule, `${path}.rules[${i}]`));
  }
  validateEnum(errors, `${path}.failurePolicy`, webhook.failurePolicy, FAILURE_POLICIES);
  validateEnum(errors, `${path}.matchPolicy`, webhook.matchPolicy, MATCH_POLICIES);
  const sideEffects = demands.noSideEffects ? NO_SIDE_EFFECTS : ALL_SIDE_EFFECTS;
  if (webhook.sideEffects === undefined) {
    errors.push(required(`${path}.sideEffects`, `must specify one of ${sideEffects.join(', ')}`));
  }
  validateEnum(errors, `${path}.sideEffects`, webhook.sideEffects, sideEffects);
  const { timeoutSeconds } = webhook;
  if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > TIMEOUT_SECONDS_MAX)) {
    const problem = `the timeout value must be between 1 and ${TIMEOUT_SECONDS_MAX} seconds`;
    errors.push(invalid(`${path}.timeoutSeconds`, timeoutSeconds, problem));
  }
  const allowInvalidValues = !demands.validSelectorValues;
  for (const field of ['namespaceSelector', 'objectSelector'] as const) {
    addAll(errors, validateLabelSelector(webhook[field], `${path}.${field}`, { allowInvalidValues }));
  }
  validateEnum(errors, `${path}.reinvocationPolicy`, webhook.reinvocationPolicy, REINVOCATION_POLICIES);
  addAll(errors, validateWebhookClient(webhook.clientConfig ?? {}, `${path}.clientConfig`));
  if (demands.matchConditions) {
    addAll(errors, validateMatchConditions(webhook.matchConditions, `${path}.matchConditions`));
  }
  return errors;
}

function validateEnum(
  errors: FieldError[],
  field: string,
  value: string | undefined,
  supported: readonly string[],
): void {
  if (value !== undefined && !supported.includes(value)) {
    errors.push(notSupported(field, value, supported));
  }
}

function validateQualified(name: string, field: string): FieldError[] {
  if (name === '') return [required(field)];
  const problems = dns1123Subdomain(name);
  if (problems.length > 0) return [invalid(field, name, problems.join(','))];
  if (name.split('.').length >= NAME_SEGMENTS_MIN) return [];
  return [invalid(field, name, 'should be a domain with at least three segments separated by dots')];
}
