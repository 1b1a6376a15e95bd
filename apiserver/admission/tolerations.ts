/** Tolerations of two lists as one, without those that another one covers. */
import type { Toleration } from './pod.js';

/** Each is compared with each, so of more than this all stay: a body has room for a hundred thousand. */
const MERGED_MAX = 500;

/** Of equal ones the first stays. */
export function mergeTolerations(first: readonly Toleration[], second: readonly Toleration[]): Toleration[] {
  const all = [...first, ...second];
  if (all.length > MERGED_MAX) return all;
  const merged: Toleration[] = [];
  for (const [i, toleration] of all.entries()) {
    const isCovered =
      merged.some((other) => covers(other, toleration)) ||
      all.slice(i + 1).some((other) => !isSame(other, toleration) && covers(other, toleration));
    if (!isCovered) merged.push(toleration);
  }
  return merged;
}

/** Whether `wide` tolerates whatever `toleration` does. */
function covers(wide: Toleration, toleration: Toleration): boolean {
  if (isSame(wide, toleration)) return true;
  const everyKey = !wide.key && wide.operator === 'Exists';
  if (!everyKey && (wide.key ?? '') !== (toleration.key ?? '')) return false;
  if (wide.effect && wide.effect !== toleration.effect) return false;
  if (wide.effect === 'NoExecute' && wide.tolerationSeconds !== undefined) {
    const { tolerationSeconds: seconds = Number.POSITIVE_INFINITY } = toleration;
    if (seconds > wide.tolerationSeconds) return false;
  }
  switch (wide.operator ?? '') {
    case '':
    case 'Equal':
      return toleration.operator === 'Equal' && (toleration.value ?? '') === (wide.value ?? '');
    default:
      return wide.operator === 'Exists';
  }
}

const isSame = (a: Toleration, b: Toleration): boolean =>
  a.key === b.key &&
  a.operator === b.operator &&
  a.value === b.value &&
  a.effect === b.effect &&
  a.tolerationSeconds === b.tolerationSeconds;
