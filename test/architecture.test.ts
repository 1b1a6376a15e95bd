/**
 * The dependency rule: raft/ imports neither of the others; storage/ imports raft/; apiserver/ imports schemas/ and, of
 * storage/, only the client interface and its errors; schemas/ imports nothing but itself; cli/ puts them together.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Folders of the repository that a folder may import, besides itself; files are named where a folder is too much. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  raft: [],
  schemas: [],
  storage: ['raft/'],
  apiserver: ['schemas/', 'storage/client/interface.ts', 'storage/errors.ts'],
  cli: ['raft/', 'schemas/', 'storage/', 'apiserver/'],
};

interface Import {
  readonly file: string;
  readonly target: string;
}

const importStatement =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|new URL\(\s*['"](\.[^'"]+\.js)['"]/g;

/** Imports of files of this repository, types included, as paths from its root. */
function importsOf(file: string, source: string): Import[] {
  return [...source.matchAll(importStatement)]
    .map((match) => match[1] ?? match[2] ?? match[3] ?? match[4] ?? '')
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => {
      const target = relative(root, resolve(dirname(join(root, file)), specifier));
      return { file, target: target.replace(/\.js$/, '.ts') };
    });
}

function breaks({ file, target }: Import): boolean {
  const folder = file.split('/', 1)[0] ?? '';
  const reachable = [`${folder}/`, ...(allowed[folder] ?? [])];
  return !reachable.some((path) => (path.endsWith('/') ? target.startsWith(path) : target === path));
}

function sourcesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file}`);
}

for (const folder of Object.keys(allowed)) {
  t.test(`${folder}/ imports only what the dependency rule allows`, async (t) => {
    const files = sourcesOf(folder);
    const imports = files.flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));
    const broken = imports.filter(breaks).map(({ file, target }) => `${file} imports ${target}`);
    t.ok(files.length > 0, 'there are files to check');
    t.same(broken, []);
  });
}

t.test('databases are opened in one place, which keeps what must not be collected', async (t) => {
  const opening = ['raft', 'storage'].flatMap(sourcesOf).filter((file) => {
    const source = readFileSync(join(root, file), 'utf8');
    return source.includes('new Database(') || source.includes('.iterate(');
  });
  t.same(opening, ['raft/sqlite.ts']);
});

t.test('the check itself sees every form of import', async (t) => {
  const source = `
    import { a } from '../storage/mvcc/store.js';
    import type {
      B,
    } from "../storage/mvcc/types.js";
    export { c } from '../storage/mvcc/c.js';
    import '../storage/mvcc/effects.js';
    const lazy = await import('../storage/mvcc/lazy.js');
    const worker = new URL('../storage/mvcc/worker.js', import.meta.url);
    import { EtcdError } from '../storage/errors.js';
  `;
  const broken = importsOf('apiserver/example.ts', source).filter(breaks);
  t.same(
    broken.map(({ target }) => target).sort(),
    ['c', 'effects', 'lazy', 'store', 'types', 'worker'].map((name) => `storage/mvcc/${name}.ts`),
  );
});
