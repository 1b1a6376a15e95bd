/**
 * Publishes the authority of the server's certificate in each active namespace, in the ConfigMap that admission mounts
 * into pods next to their account's token.
 */
import type { KubeObject } from '../../schemas/definition.js';
import type { Controller } from './controller.js';
import { namespaceObjectController } from './namespace-object.js';

const NAME = 'kube-root-ca.crt';
const KEY = 'ca.crt';
/** What clients show of it is upstream's. */
const DESCRIPTION = 'kubernetes.io/description';
const TEXT =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** `authority`: certificates in PEM. */
export function rootCaPublisher(authority: string): Controller {
  const data = { [KEY]: authority };
  return namespaceObjectController({
    controller: 'root-ca-certificate-publisher-controller',
    account: 'root-ca-cert-publisher',
    plural: 'configmaps',
    wanted: {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: NAME, annotations: { [DESCRIPTION]: TEXT } },
      data,
    },
    repaired: (present) => (isRight(present, authority) ? undefined : madeRight(present, data)),
  });
}

/** Any description will do; other data will not, be it more or less. */
function isRight({ metadata, data }: KubeObject, authority: string): boolean {
  if (!metadata.annotations?.[DESCRIPTION]) return false;
  const found = Object.entries(data ?? {});
  return found.length === 1 && found[0]?.[0] === KEY && found[0][1] === authority;
}

function madeRight({ metadata, ...rest }: KubeObject, data: Readonly<Record<string, string>>): KubeObject {
  const annotations = { ...metadata.annotations, [DESCRIPTION]: TEXT };
  return { ...rest, metadata: { ...metadata, annotations }, data };
}
