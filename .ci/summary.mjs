/**
 * Prints `N passed, N failed` from a TAP report: `node .ci/summary.mjs REPORT EXIT_CODE`. Ends with 1 when anything
 * failed, also when the run itself did (a crash reports no failed assertion). What failed is printed before.
 */
import { readFileSync } from 'node:fs';

const [, , report, exitCode] = process.argv;
const text = readFileSync(report, 'utf8');
// An assertion that failed, with the lines that say how and where.
for (const [failure] of text.matchAll(/^ *not ok .*(?:\n *---\n(?:.*\n){0,40}? *\.\.\.)?$/gm))
  console.log(failure);
const totals = [...text.matchAll(/^# \{ total: .*\}$/gm)].at(-1)?.[0] ?? '';
const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0);
const passed = count('pass');
const failed = Math.max(count('fail'), exitCode === '0' ? 0 : 1);
const skipped = count('skip');
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
