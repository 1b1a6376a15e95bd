import { readFileSync } from 'node:fs';

/** The valid part of a SQLite write-ahead log: what SQLite's recovery would read (sqlite.org/fileformat2.html §4). */
export interface Wal {
  /** Changes whenever the WAL starts anew. */
  readonly salt: string;
  /** Number of transactions. Each was one commit, and with synchronous=FULL one sync. */
  readonly commits: number;
  /** Bytes from the start through the last transaction. */
  readonly committedBytes: number;
  /** Bytes of one frame. */
  readonly frameBytes: number;
}

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/** Reads a copy of a WAL: opening the file of a live database would drop SQLite's locks. */
export function readWal(path: string): Wal {
  const bytes = readFileSync(path);
  const salt = bytes.toString('hex', 16, 24);
  const frameBytes = FRAME_HEADER_BYTES + bytes.readUInt32BE(8);
  let commits = 0;
  let committedBytes = HEADER_BYTES;
  for (let offset = HEADER_BYTES; offset + frameBytes <= bytes.length; offset += frameBytes) {
    if (bytes.toString('hex', offset + 8, offset + 16) !== salt) break;
    if (bytes.readUInt32BE(offset + 4) === 0) continue;
    commits += 1;
    committedBytes = offset + frameBytes;
  }
  return { salt, commits, committedBytes, frameBytes };
}
