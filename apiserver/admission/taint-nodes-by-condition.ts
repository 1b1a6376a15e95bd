/** TaintNodesByCondition: a new node takes no pods until something has found it ready. */
import type { AdmissionPlugin } from './plugin.js';

interface Taint {
  key?: string;
  effect?: string;
}

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  handles: ({ operation, definition, subresource }) =>
    operation === 'CREATE' && definition.plural === 'nodes' && definition.group === '' && subresource === '',
  admit({ object }) {
    if (object === undefined) return;
    const spec = (object['spec'] ??= {}) as { taints?: Taint[] };
    const taints = spec.taints ?? [];
    if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return;
    spec.taints = [...taints, { ...NOT_READY }];
  },
};
