import type { IncomingSnapshot } from '../../raft/transport/transport.js';
import { SnapshotError } from './snapshots.js';

/** The content, never more than was announced. @throws SnapshotError unless it is exactly that */
export async function* contentOf({ content, size }: IncomingSnapshot): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of content) {
      bytes += chunk.length;
      if (bytes > size) break;
      yield chunk;
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new SnapshotError('incomplete', `the snapshot did not arrive (${message})`, { cause: error });
  }
  if (bytes !== size)
    throw new SnapshotError('incomplete', `the snapshot does not have the announced ${size} bytes`);
}
