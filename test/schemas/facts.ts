/** The recorded facts beside the checkout, for tests that compare with them and skip where they are absent. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json, above the compiled tests wherever those were written. */
function repositoryRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

const folder = join(repositoryRoot(), '..', 'shared', 'facts', 'kubernetes-1.36');

/** For `t.test(name, { skip }, …)`: false where the facts are there, else the reason. */
export const skip = existsSync(folder) ? (false as const) : 'the recorded facts are not beside this checkout';

/** One file of the recorded facts: `schemas.json`, `transcript.json`. */
export function facts(name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'));
}
