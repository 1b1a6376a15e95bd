/** Brings the tables of flags in docs/etcd.md up to date with cli/etcd/. Run `npx tsc` before. */
import { readFile, writeFile } from 'node:fs/promises';
import { flagTables } from '../dist/cli/etcd/docs.js';

const page = new URL('../docs/etcd.md', import.meta.url);
const [begin, end] = ['<!-- flags: build/etcd-flags.mjs -->\n', '<!-- end of flags -->\n'];
const text = await readFile(page, 'utf8');
const [before] = text.split(begin, 1);
const after = text.slice(text.indexOf(end));
await writeFile(page, `${before}${begin}${flagTables()}${after}`);
