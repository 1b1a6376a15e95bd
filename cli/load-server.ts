/**
 * Loads all that the commands need, which --help and --version do not wait for. In the bundle it is compiled with
 * V8's code cache (a third of the time to load); the cache is made at the end of the first run that had none for this
 * version of Node, and is only ever used with the text and the Node that it was made with.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script, constants } from 'node:vm';

declare const WHERRY_SERVER_HASH: string | undefined;

type Server = typeof import('./programs.js');

export interface LoadedServer {
  readonly server: Server;
  /** Writes the code cache if there was no good one. Best effort: the folder may be read-only. */
  readonly saveCodeCache: () => void;
}

export async function loadServer(): Promise<LoadedServer> {
  if (typeof WHERRY_SERVER_HASH === 'string') return loadBundle(WHERRY_SERVER_HASH);
  // Not a literal: the bundler would take the server in.
  const source = './programs.js';
  return { server: (await import(source)) as Server, saveCodeCache() {} };
}

function loadBundle(hash: string): LoadedServer {
  const folder = dirname(fileURLToPath(import.meta.url));
  const file = join(folder, 'server.js');
  const cacheFile = join(folder, 'cache', `server-${hash}-${process.version}-${process.arch}.cache`);
  const cachedData = readIfThere(cacheFile);
  // The bundler writes ASCII, which latin1 reads fastest.
  const text = readFileSync(file, 'latin1');
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${text}\n})`, {
    filename: file,
    ...(cachedData === undefined ? {} : { cachedData }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const module = { exports: {} };
  const run = script.runInThisContext() as (...args: unknown[]) => void;
  run(module.exports, createRequire(file), module, file, folder);
  return {
    server: module.exports as Server,
    saveCodeCache() {
      if (cachedData !== undefined && script.cachedDataRejected === false) return;
      writeInOneStep(cacheFile, script.createCachedData());
    },
  };
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

function writeInOneStep(file: string, data: Buffer): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, data);
    renameSync(draft, file);
  } catch {
    // Installed where this user may not write: every start compiles, and works.
  }
}
