/** What a test knows of log-child.ts without running it. */
import { fileURLToPath } from 'node:url';

export const CHILD_SCRIPT = fileURLToPath(new URL('./log-child.js', import.meta.url));
export const CHILD_PAYLOAD_BYTES = 300;
