/** Rules of how objects get from one version to another. */
import { addAll } from '../../add-all.js';
import { type FieldError, forbidden, notSupported, required } from '../../field-error.js';
import { validateReviewVersions } from '../../validation/review-versions.js';
import { validateWebhookClient } from '../../validation/webhook-client.js';
import type { Conversion } from './custom-resource-definition-schema.js';

const STRATEGIES = ['None', 'Webhook'];
const NOT_WEBHOOK = 'should not be set when strategy is not set to Webhook';

/** `knownVersion`: whether one of the review's versions must be known. */
export function validateConversion(conversion: Conversion | undefined, knownVersion: boolean): FieldError[] {
  if (conversion === undefined) return [];
  const { strategy = '', webhook } = conversion;
  const { clientConfig } = webhook ?? {};
  const versions = webhook?.conversionReviewVersions ?? [];
  const field = 'spec.conversion';
  const errors: FieldError[] = [];
  if (strategy === '') errors.push(required(`${field}.strategy`));
  else if (!STRATEGIES.includes(strategy)) {
    errors.push(notSupported(`${field}.strategy`, strategy, STRATEGIES));
  }
  if (strategy !== 'Webhook') {
    if (clientConfig !== undefined) errors.push(forbidden(`${field}.webhookClientConfig`, NOT_WEBHOOK));
    if (versions.length > 0) errors.push(forbidden(`${field}.conversionReviewVersions`, NOT_WEBHOOK));
    return errors;
  }
  if (clientConfig === undefined) {
    errors.push(required(`${field}.webhookClientConfig`, 'required when strategy is set to Webhook'));
  } else addAll(errors, validateWebhookClient(clientConfig, `${field}.webhookClientConfig`));
  addAll(
    errors,
    validateReviewVersions(versions, `${field}.conversionReviewVersions`, { known: knownVersion }),
  );
  return errors;
}
