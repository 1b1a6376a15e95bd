/** The processes under measurement: started, asked for their CPU time and memory, and ended. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Credentials } from './http-client.js';

const command = fileURLToPath(new URL('../bundle/wherry.js', import.meta.url));
const READY_MS_MAX = 30_000;
const POLL_MS = 5;
/** Linux counts CPU time in ticks of 10 ms. */
const TICK_MS = 10;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'wherry-bench-'));

/** CPU time of all threads since the process began, in milliseconds; NaN where there is no /proc. */
export function cpuMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return Number.NaN;
  }
}

/** Resident memory in MB (10⁶ bytes); NaN where there is no /proc. */
export function residentMb(pid: number): number {
  try {
    const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return (Number(kib) * 1024) / 1e6;
  } catch {
    return Number.NaN;
  }
}

export interface Wherry {
  readonly pid: number;
  /** Of the secure port. */
  readonly port: number;
  readonly plainPort: number;
  /** The administrator's. */
  readonly credentials: Credentials;
  /** Of the server, for the bare route to use too. */
  readonly serverCert: string;
  readonly serverKey: string;
  /** From the start of `node` to the first 200 of /readyz. */
  readonly startMs: number;
  stop(): Promise<void>;
}

/** `args`: more flags. */
export async function startWherry(dataDir: string, args: readonly string[] = []): Promise<Wherry> {
  const [plainPort, port] = [await freePort(), await freePort()];
  const ports = ['--port', `${plainPort}`, '--secure-port', `${port}`];
  const flags = ['--data-dir', dataDir, ...ports, '--log-level', 'error', ...args];
  const began = performance.now();
  const child = spawn(process.execPath, [command, 'serve', ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await ready(plainPort, child);
  const startMs = performance.now() - began;
  const pki = (name: string) => readFile(join(dataDir, 'pki', name), 'utf8');
  const credentials = { ca: await pki('ca.crt'), cert: await pki('admin.crt'), key: await pki('admin.key') };
  return {
    pid: child.pid ?? 0,
    port,
    plainPort,
    credentials,
    serverCert: await pki('apiserver.crt'),
    serverKey: await pki('apiserver.key'),
    startMs,
    stop: () => end(child),
  };
}

async function ready(port: number, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + READY_MS_MAX;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the server ended with code ${child.exitCode}`);
    if (await answers(port)) return;
    await sleep(POLL_MS);
  }
  throw new Error(`the server is not ready after ${READY_MS_MAX} ms`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ port, host: '127.0.0.1', path: '/readyz' }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on('error', () => resolve(false));
    call.end();
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** A module of this folder as a process of its own, spoken to by messages. */
export class Worker {
  private readonly child: ChildProcess;

  constructor(module: string, args: readonly string[] = []) {
    const path = fileURLToPath(new URL(module, import.meta.url));
    this.child = fork(path, args, { serialization: 'advanced' });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Sends a message and resolves with the next one that comes back. */
  async ask<T>(message: object): Promise<T> {
    this.child.send(message);
    return this.next<T>();
  }

  next<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`a bench process ended with code ${code}`));
      this.child.once('exit', ended);
      this.child.once('message', (message) => {
        this.child.off('exit', ended);
        resolve(message as T);
      });
    });
  }

  stop(): Promise<void> {
    return end(this.child);
  }
}

export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });
