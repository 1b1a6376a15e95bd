import type { SnapshotPrograms } from './options.js';
import { restore } from './restore.js';
import { save } from './save.js';
import { status } from './status.js';

export const snapshot: SnapshotPrograms = { save, status, restore };
