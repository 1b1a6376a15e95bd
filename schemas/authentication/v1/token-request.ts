/** TokenRequest: asks for a token of a service account, through its `token` subresource. */
import type { KubeObject, Strategy } from '../../definition.js';
import { type FieldError, invalid } from '../../field-error.js';
import { describe, int64, list, once, struct, text } from '../../fields.js';
import { kubeObject, time } from '../../meta/v1.js';

const EXPIRATION_SECONDS_DEFAULT = 3600;
const EXPIRATION_SECONDS_MIN = 10 * 60;
const EXPIRATION_SECONDS_MAX = 2 ** 32;

const boundObjectReference = once(() =>
  struct(
    'io.k8s.api.authentication.v1.BoundObjectReference',
    {
      kind: text({ omitEmpty: true, description: 'Pod, Secret or Node.' }),
      apiVersion: text({ omitEmpty: true }),
      name: text({ omitEmpty: true }),
      uid: text({ omitEmpty: true }),
    },
    { description: 'An object without which the token is void.' },
  ),
);

const tokenRequestSpec = once(() =>
  struct(
    'io.k8s.api.authentication.v1.TokenRequestSpec',
    {
      audiences: list(text(), {
        listType: 'atomic',
        description: 'Who may accept the token; by default the API server.',
      }),
      expirationSeconds: int64({ description: 'How long the token should last.' }),
      boundObjectRef: describe(boundObjectReference(), { printsNull: true }),
    },
    { description: 'The token that is asked for.' },
  ),
);

const tokenRequestStatus = once(() =>
  struct(
    'io.k8s.api.authentication.v1.TokenRequestStatus',
    {
      token: text({ default: '' }),
      expirationTimestamp: time({ printsNull: true }),
    },
    { description: 'The token that was issued.' },
  ),
);

export const tokenRequest = once(() =>
  kubeObject(
    'io.k8s.api.authentication.v1.TokenRequest',
    {
      spec: describe(tokenRequestSpec(), { default: {} }),
      status: describe(tokenRequestStatus(), { default: {} }),
    },
    { description: 'Asks for a token of a service account.' },
  ),
);

interface Spec {
  expirationSeconds?: number;
}
const specOf = (request: KubeObject): Spec => (request['spec'] ??= {});

export const tokenRequestStrategy: Strategy = {
  defaults(request) {
    specOf(request).expirationSeconds ??= EXPIRATION_SECONDS_DEFAULT;
  },
  prepareForCreate(request) {
    request['status'] = { token: '', expirationTimestamp: null };
  },
  validate(request): FieldError[] {
    const { expirationSeconds = EXPIRATION_SECONDS_DEFAULT } = specOf(request);
    if (expirationSeconds < EXPIRATION_SECONDS_MIN) {
      const problem = 'may not specify a duration less than 10 minutes';
      return [invalid('spec.expirationSeconds', expirationSeconds, problem)];
    }
    if (expirationSeconds > EXPIRATION_SECONDS_MAX) {
      const problem = 'may not specify a duration larger than 2^32 seconds';
      return [invalid('spec.expirationSeconds', expirationSeconds, problem)];
    }
    return [];
  },
};
