/** DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or cannot be reached. */
import type { AdmissionPlugin } from './plugin.js';
import { type Toleration, isPodItself, podSpecOf } from './pod.js';

const TOLERATION_SECONDS = 300;
const CONDITIONS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

function tolerates(toleration: Toleration, key: string): boolean {
  return (
    (toleration.key === key || !toleration.key) && (toleration.effect === 'NoExecute' || !toleration.effect)
  );
}

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: (attributes) =>
    (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') && isPodItself(attributes),
  admit({ object }) {
    if (object === undefined) return;
    const spec = podSpecOf(object);
    const given = spec.tolerations ?? [];
    const missing = CONDITIONS.filter((key) => !given.some((toleration) => tolerates(toleration, key)));
    if (missing.length === 0) return;
    const added = missing.map((key) => ({
      key,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: TOLERATION_SECONDS,
    }));
    spec.tolerations = [...given, ...added];
  },
};
