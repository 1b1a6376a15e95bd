/** DefaultIngressClass: an Ingress that names no class gets the one that is marked as everybody's. */
import { CLASS_ANNOTATION } from '../../schemas/networking/v1/ingress.js';
import { defaultClass } from './default-class.js';
import type { Registries } from './lookup.js';
import type { AdmissionPlugin } from './plugin.js';

const DEFAULT_MARKS = ['ingressclass.kubernetes.io/is-default-class'];

export const defaultIngressClass = (registries: Registries): AdmissionPlugin => ({
  name: 'DefaultIngressClass',
  handles: ({ operation, definition: { group, plural }, subresource }) =>
    operation === 'CREATE' && plural === 'ingresses' && group === 'networking.k8s.io' && subresource === '',
  async admit({ object, context }) {
    if (object === undefined) return;
    const spec = (object['spec'] ?? {}) as { ingressClassName?: string };
    if (spec.ingressClassName !== undefined) return;
    if (object.metadata.annotations?.[CLASS_ANNOTATION] !== undefined) return;
    const classes = registries.table.find('networking.k8s.io', 'v1', 'ingressclasses');
    const ingressClassName = await defaultClass(classes, DEFAULT_MARKS, context);
    if (ingressClassName !== undefined) object['spec'] = { ingressClassName, ...spec };
  },
});
