/** DefaultIngressClass: an Ingress that names no class gets the one that is marked as everybody's. */
import { CLASS_ANNOTATION } from '../../schemas/networking/v1/ingress.js';
import { everything } from '../registry/selectors/index.js';
import type { StoredObject } from '../registry/types.js';
import type { Registries } from './lookup.js';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.js';

const DEFAULT_MARK = 'ingressclass.kubernetes.io/is-default-class';
const ANY = { limit: 0, resourceVersion: 0, labels: everything, fields: everything };

export const defaultIngressClass = (registries: Registries): AdmissionPlugin => ({
  name: 'DefaultIngressClass',
  handles: ({ operation, definition: { group, plural }, subresource }) =>
    operation === 'CREATE' && plural === 'ingresses' && group === 'networking.k8s.io' && subresource === '',
  async admit({ object, context }) {
    if (object === undefined) return;
    const spec = (object['spec'] ?? {}) as { ingressClassName?: string };
    if (spec.ingressClassName !== undefined) return;
    if (object.metadata.annotations?.[CLASS_ANNOTATION] !== undefined) return;
    const ingressClassName = await defaultClass(registries, context);
    if (ingressClassName !== undefined) object['spec'] = { ingressClassName, ...spec };
  },
});

/** Of several, which the API does not prevent, the newest. */
async function defaultClass(
  { table }: Registries,
  context: AdmissionAttributes['context'],
): Promise<string | undefined> {
  const classes = table.find('networking.k8s.io', 'v1', 'ingressclasses');
  const { items = [] } = (await classes?.list(context, '', ANY)) ?? {};
  const marked = items.filter(({ object }) => object.metadata.annotations?.[DEFAULT_MARK] === 'true');
  return marked.sort(byAge)[0]?.name;
}

function byAge(a: StoredObject, b: StoredObject): number {
  const [left, right] = [a, b].map(({ object }) => object.metadata.creationTimestamp ?? '');
  if (left !== right) return (left ?? '') > (right ?? '') ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
