/** What a watch of a collection should have told of, by the history that the store keeps. */

interface Item {
  readonly metadata: { readonly resourceVersion: string };
}

/**
 * Revisions between the first and the last of `seen` at which an object of the collection was written and which are not
 * in `seen`. At others something else was written, as the server's own objects are while the first clients write.
 * Nothing may be deleted or compacted meanwhile.
 */
export async function unseenChanges(collection: string, seen: readonly number[]): Promise<number[]> {
  const known = new Set(seen);
  const last = Math.max(...seen);
  const unseen: number[] = [];
  for (let revision = Math.min(...seen) + 1; revision < last; revision++) {
    if (!known.has(revision) && (await isWrittenAt(collection, revision))) unseen.push(revision);
  }
  return unseen;
}

async function isWrittenAt(collection: string, revision: number): Promise<boolean> {
  const response = await fetch(`${collection}?resourceVersion=${revision}&resourceVersionMatch=Exact`);
  if (!response.ok) throw new Error(`a list at ${revision} was answered with ${await response.text()}`);
  const { items } = (await response.json()) as { readonly items: readonly Item[] };
  return items.some(({ metadata }) => metadata.resourceVersion === `${revision}`);
}
