/**
 * NamespaceLifecycle: objects are created only in namespaces that exist and are not being deleted, and the namespaces
 * that the system stands on are not deleted.
 */
import type { KubeObject } from '../../schemas/definition.js';
import { forbidden, notFound } from '../errors.js';
import { type Registries, coreRegistry, lookUp } from './lookup.js';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.js';

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);
const NAMESPACES = { group: '', name: 'namespaces' };
/** Asking what one may do in a namespace says nothing of whether it exists. */
const ACCESS_REVIEWS = 'authorization.k8s.io';

function isNamespace({ definition }: AdmissionAttributes): boolean {
  return definition.group === '' && definition.plural === 'namespaces';
}

export function namespaceLifecycle(registries: Registries): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles(attributes) {
      if (isNamespace(attributes)) return attributes.operation === 'DELETE';
      return (
        attributes.operation === 'CREATE' &&
        attributes.namespace !== '' &&
        attributes.definition.group !== ACCESS_REVIEWS
      );
    },
    async admit(attributes) {
      if (attributes.operation === 'DELETE') {
        if (IMMORTAL.has(attributes.name)) {
          throw forbidden(NAMESPACES, attributes.name, 'this namespace may not be deleted');
        }
        return;
      }
      const { context, namespace } = attributes;
      const found = await lookUp(coreRegistry(registries, 'namespaces'), context, '', namespace);
      if (found === undefined) throw notFound(NAMESPACES, namespace);
      if (isTerminating(found)) throw terminating(attributes);
    },
  };
}

function isTerminating(namespace: KubeObject): boolean {
  return (namespace['status'] as { readonly phase?: string } | undefined)?.phase === 'Terminating';
}

function terminating({ definition, namespace, name }: AdmissionAttributes) {
  return forbidden(
    { group: definition.group, name: definition.plural },
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  );
}
