/** ValidatingWebhookConfiguration and MutatingWebhookConfiguration: webhooks that requests are shown to. */
import type * as z from 'zod';
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { list, once } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { registrationResource } from './resource.js';
import { PREFIX } from './rules.js';
import { staticSuffixWarnings } from './static-suffix.js';
import {
  defaultMutatingWebhook,
  defaultWebhook,
  mutatingWebhook,
  validatingWebhook,
  type Webhook,
} from './webhook-schema.js';
import { validateChangedWebhooks, validateNewWebhooks } from './webhook-validation.js';

const webhooksOf = (object: KubeObject): readonly Webhook[] =>
  (object as { webhooks?: readonly Webhook[] }).webhooks ?? [];

interface Flavour {
  readonly kind: string;
  readonly description: string;
  readonly webhook: () => z.ZodType;
  readonly defaults: (webhook: Webhook) => void;
}

function configurations({ kind, description, webhook, defaults }: Flavour): ResourceDefinition {
  const singular = kind.toLowerCase();
  const strategy: Strategy = {
    defaults: (object) => webhooksOf(object).forEach(defaults),
    validateCreate: (object) => validateNewWebhooks(webhooksOf(object)),
    validateUpdate: (object, old) => validateChangedWebhooks(webhooksOf(object), webhooksOf(old)),
    warnings: staticSuffixWarnings,
  };
  return {
    ...registrationResource,
    kind,
    listKind: `${kind}List`,
    plural: `${singular}s`,
    singular,
    etcdPrefix: `${singular}s`,
    description,
    schema: once(() =>
      kubeObject(
        `${PREFIX}.${kind}`,
        {
          webhooks: list(webhook(), {
            listType: 'map',
            listMapKeys: ['name'],
            patchStrategy: 'merge',
            patchMergeKey: 'name',
          }),
        },
        { description },
      ),
    ),
    strategy,
    columns: [
      nameColumn,
      column('Webhooks', 'How many webhooks it has.', (object) => webhooksOf(object).length, {
        type: 'integer',
      }),
      ageColumn,
    ],
  };
}

export const validatingWebhookConfigurations = configurations({
  kind: 'ValidatingWebhookConfiguration',
  description: 'Webhooks that accept or refuse requests.',
  webhook: validatingWebhook,
  defaults: defaultWebhook,
});

export const mutatingWebhookConfigurations = configurations({
  kind: 'MutatingWebhookConfiguration',
  description: 'Webhooks that may change requests before they are stored.',
  webhook: mutatingWebhook,
  defaults: defaultMutatingWebhook,
});
