import fs from 'node:fs';
import path from 'node:path';
import { DataDirCorruptError } from '../mvcc/errors.js';

/** Where a restore builds the member's folder, whose name it gets as the last step. */
const RESTORING = 'member.restoring';

export function restoringFolder(dataDir: string): string {
  return path.join(dataDir, RESTORING);
}

/** A start would make an empty store in the place of what was to be restored. @throws DataDirCorruptError */
export function refuseUnfinishedRestore(dataDir: string): void {
  if (!fs.existsSync(restoringFolder(dataDir))) return;
  throw new DataDirCorruptError(
    dataDir,
    `a restore into it did not get to its end; remove ${restoringFolder(dataDir)} and restore again`,
  );
}
