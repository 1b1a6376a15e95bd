/**
 * A backup as a file: the database's pages, then the SHA-256 of all of them, as etcd's clients write it from the snapshot
 * stream. The same form holds etcd's own database, which is another format.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { BackupError, fileError } from './errors.js';

export const CHECKSUM_BYTES = 32;
/** Databases of both kinds consist of pages of a multiple of this, so that the size tells whether a checksum follows. */
const UNIT_BYTES = 512;
const READ_BYTES = 2 ** 20;

/** `etcd`: the bbolt database of a real etcd. */
export type BackupKind = 'wherry' | 'etcd';

export interface BackupFile {
  readonly path: string;
  readonly kind: BackupKind;
  /** Of the database, without the checksum. */
  readonly bytes: number;
  readonly hasChecksum: boolean;
}

/** Where SQLite and bbolt have their marks: file format, application id; magic of the first meta page. */
const SQLITE_MARK = Buffer.from('SQLite format 3\0', 'latin1');
const APPLICATION_ID = { offset: 68, value: 0x57687279 };
const BBOLT_MAGIC = { offset: 16, value: 0xed0cdaed };
const HEAD_BYTES = 512;

/** Tells what a file is by its size and first bytes. @throws BackupError */
export function openBackup(path: string): BackupFile {
  let size: number;
  let head: Buffer;
  try {
    ({ size } = fs.statSync(path));
    head = readHead(path);
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  }
  const rest = size % UNIT_BYTES;
  if (size < HEAD_BYTES || (rest !== 0 && rest !== CHECKSUM_BYTES)) {
    throw new BackupError(`${path} is no whole snapshot: it has ${size} bytes`);
  }
  const hasChecksum = rest === CHECKSUM_BYTES;
  const kind = kindOf(head);
  if (kind === undefined) throw new BackupError(`${path} is no snapshot of Wherry or etcd`);
  return { path, kind, hasChecksum, bytes: hasChecksum ? size - CHECKSUM_BYTES : size };
}

function readHead(path: string): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  const descriptor = fs.openSync(path, 'r');
  try {
    fs.readSync(descriptor, head, 0, HEAD_BYTES, 0);
  } finally {
    fs.closeSync(descriptor);
  }
  return head;
}

function kindOf(head: Buffer): BackupKind | undefined {
  if (head.subarray(0, SQLITE_MARK.length).equals(SQLITE_MARK)) {
    return head.readUInt32BE(APPLICATION_ID.offset) === APPLICATION_ID.value ? 'wherry' : undefined;
  }
  return head.readUInt32LE(BBOLT_MAGIC.offset) === BBOLT_MAGIC.value ? 'etcd' : undefined;
}

export interface ReadOptions {
  /** A file without one, or with another one, is taken too. */
  readonly skipChecksum?: boolean;
  /** Told of every piece of the database, in order. */
  readonly take?: (piece: Uint8Array) => void;
}

/** Reads the whole file and verifies its checksum. Gives the SHA-256 of the database. @throws BackupError */
export function readBackup(file: BackupFile, { skipChecksum = false, take }: ReadOptions = {}): Buffer {
  if (!file.hasChecksum && !skipChecksum) {
    throw new BackupError(
      `${file.path} has no checksum; if it was copied from a data directory, --skip-hash-check takes it as it is`,
    );
  }
  const hash = createHash('sha256');
  let checksum: Buffer;
  const descriptor = opened(file.path);
  try {
    for (const piece of piecesOf(descriptor, file)) {
      hash.update(piece);
      take?.(piece);
    }
    checksum = Buffer.alloc(CHECKSUM_BYTES);
    fs.readSync(descriptor, checksum, 0, CHECKSUM_BYTES, file.bytes);
  } finally {
    fs.closeSync(descriptor);
  }
  const actual = hash.digest();
  if (!skipChecksum && !actual.equals(checksum)) {
    throw new BackupError(`${file.path} is damaged: its checksum does not match`);
  }
  return actual;
}

function opened(path: string): number {
  try {
    return fs.openSync(path, 'r');
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  }
}

function* piecesOf(descriptor: number, { path, bytes }: BackupFile): Generator<Buffer> {
  for (let position = 0; position < bytes; ) {
    const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, bytes - position));
    const length = readInto(piece, descriptor, position, path);
    if (length === 0) throw new BackupError(`${path} became shorter while it was read`);
    yield piece.subarray(0, length);
    position += length;
  }
}

function readInto(piece: Buffer, descriptor: number, position: number, path: string): number {
  try {
    return fs.readSync(descriptor, piece, 0, piece.length, position);
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  }
}
