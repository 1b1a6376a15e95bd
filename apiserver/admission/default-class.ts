/** The class that is marked as everybody's, for objects that name none. */
import { everyObjectAtHand } from '../registry/every-object.js';
import type { Registry, StoredObject } from '../registry/types.js';
import type { AdmissionAttributes } from './plugin.js';

/** Of several, which the API does not prevent, the newest; of those of one second the first by name. */
export async function defaultClass(
  classes: Registry | undefined,
  marks: readonly string[],
  context: AdmissionAttributes['context'],
): Promise<string | undefined> {
  const { items = [] } = (await classes?.list(context, '', everyObjectAtHand)) ?? {};
  const marked = items.filter(({ object }) =>
    marks.some((mark) => object.metadata.annotations?.[mark] === 'true'),
  );
  return marked.sort(byAge)[0]?.name;
}

function byAge(a: StoredObject, b: StoredObject): number {
  const [left, right] = [a, b].map(({ object }) => object.metadata.creationTimestamp ?? '');
  if (left !== right) return (left ?? '') > (right ?? '') ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
