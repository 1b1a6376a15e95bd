/** The service account controller: each active namespace has a ServiceAccount `default`, also after it was deleted. */
import { namespaceObjectController } from './namespace-object.js';

export const serviceAccountController = namespaceObjectController({
  controller: 'serviceaccount-controller',
  account: 'service-account-controller',
  plural: 'serviceaccounts',
  wanted: { kind: 'ServiceAccount', apiVersion: 'v1', metadata: { name: 'default' } },
});
