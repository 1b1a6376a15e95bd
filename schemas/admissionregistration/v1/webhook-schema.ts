/** Webhooks that see a request before it is stored: their fields and defaults. */
import { describe, int32, list, once, struct, text } from '../../fields.js';
import { labelSelector } from '../../meta/v1.js';
import type { LabelSelector } from '../../validation/selectors.js';
import {
  defaultWebhookService,
  type WebhookClientConfig,
  webhookClientConfig,
} from '../../validation/webhook-client.js';
import { type MatchCondition, matchConditions } from './match-conditions.js';
import { defaultRules, PREFIX, type Rule, ruleWithOperations } from './rules.js';

export const FAILURE_POLICIES = ['Fail', 'Ignore'];
export const MATCH_POLICIES = ['Equivalent', 'Exact'];
export const REINVOCATION_POLICIES = ['IfNeeded', 'Never'];
const SIDE_EFFECTS = ['None', 'NoneOnDryRun', 'Some', 'Unknown'];

const TIMEOUT_SECONDS = 10;

const clientConfig = webhookClientConfig(PREFIX);

const webhookFields = () => ({
  name: text({ default: '', description: 'Fully qualified, and unique in the configuration.' }),
  clientConfig: describe(clientConfig(), { default: {} }),
  rules: list(ruleWithOperations(), { listType: 'atomic', description: 'Which requests it sees.' }),
  failurePolicy: text({
    enum: FAILURE_POLICIES,
    goType: 'v1.FailurePolicyType',
    description: 'Whether requests are refused while it cannot be reached.',
  }),
  matchPolicy: text({
    enum: MATCH_POLICIES,
    goType: 'v1.MatchPolicyType',
    description: 'Whether a rule also means other versions of the same resource.',
  }),
  namespaceSelector: describe(labelSelector(), { description: 'Only objects of namespaces like this.' }),
  objectSelector: describe(labelSelector(), { description: 'Only objects like this.' }),
  sideEffects: text({
    enum: SIDE_EFFECTS,
    goType: 'v1.SideEffectClass',
    description: 'Whether a call changes anything elsewhere.',
  }),
  timeoutSeconds: int32({ description: 'How long it may take, 1 to 30.' }),
  admissionReviewVersions: list(text(), {
    listType: 'atomic',
    printsNull: true,
    description: 'Versions of AdmissionReview that it understands, the best first.',
  }),
});

const REQUIRED = ['name', 'clientConfig', 'sideEffects', 'admissionReviewVersions'] as const;

export const validatingWebhook = once(() =>
  struct(
    `${PREFIX}.ValidatingWebhook`,
    { ...webhookFields(), matchConditions: matchConditions() },
    { description: 'A webhook that accepts or refuses requests.', required: [...REQUIRED] },
  ),
);

export const mutatingWebhook = once(() =>
  struct(
    `${PREFIX}.MutatingWebhook`,
    {
      ...webhookFields(),
      reinvocationPolicy: text({
        enum: REINVOCATION_POLICIES,
        goType: 'v1.ReinvocationPolicyType',
        description: 'Whether it is asked again when others changed the object after it.',
      }),
      matchConditions: matchConditions(),
    },
    { description: 'A webhook that may change requests.', required: [...REQUIRED] },
  ),
);

export interface Webhook {
  name?: string;
  clientConfig?: WebhookClientConfig;
  rules?: readonly Rule[];
  failurePolicy?: string;
  matchPolicy?: string;
  namespaceSelector?: LabelSelector;
  objectSelector?: LabelSelector;
  sideEffects?: string;
  timeoutSeconds?: number;
  admissionReviewVersions?: readonly string[] | null;
  /** Of mutating ones. */
  reinvocationPolicy?: string;
  matchConditions?: readonly MatchCondition[];
}

export function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= TIMEOUT_SECONDS;
  defaultWebhookService(webhook.clientConfig?.service);
  defaultRules(webhook.rules);
}

export function defaultMutatingWebhook(webhook: Webhook): void {
  defaultWebhook(webhook);
  webhook.reinvocationPolicy ??= 'Never';
}
