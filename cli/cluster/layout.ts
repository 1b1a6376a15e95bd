/**
 * Which member has which ports. Kept in the data directory: the members know each other by their peer urls, so that a
 * cluster that is started again must be where it was.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { CLUSTER_FILE } from '../data-directory.js';
import { writePrivate } from '../pki/certificates.js';
import { StartupError, UsageError } from '../startup-error.js';
import type { PlaceOptions } from './options.js';

const FORMAT = 1;
const PORT_MAX = 65_535;
const port = z.int().min(0).max(PORT_MAX);

const placeSchema = z.object({
  name: z.string(),
  /** Plain HTTP; 0: off. */
  port,
  /** HTTPS; 0: off. */
  securePort: port,
  peerPort: port.min(1),
  clientPort: port.min(1),
});

const layoutSchema = z.object({
  format: z.literal(FORMAT),
  /** Tells this cluster apart from another one that had the same ports. */
  token: z.string(),
  members: z.array(placeSchema).min(1),
});

export type MemberPlace = z.infer<typeof placeSchema>;
export type Layout = z.infer<typeof layoutSchema>;

const USUAL = { size: 3, port: 8080, securePort: 6443 };
/** Where free ports are looked for: below those that the system gives to outgoing connections. */
const FREE_PORTS = { from: 20_000, to: 29_999 };
const FREE_PORT_ATTEMPTS_MAX = 1000;

/** Reads the layout of this folder, or makes one. Throws UsageError where the options say otherwise. */
export async function openLayout(folder: string, options: PlaceOptions): Promise<Layout> {
  const file = join(folder, CLUSTER_FILE);
  const kept = await readLayout(file);
  if (kept !== undefined) {
    checkAgainst(kept, options, file);
    return kept;
  }
  const layout = await newLayout(options);
  await writePrivate(file, `${JSON.stringify(layout, undefined, 2)}\n`);
  return layout;
}

async function readLayout(file: string): Promise<Layout | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return layoutSchema.parse(JSON.parse(text));
  } catch {
    throw new StartupError(`${file} is damaged or of another version: it must say where each member is`);
  }
}

function checkAgainst(layout: Layout, options: PlaceOptions, file: string): void {
  const [first] = layout.members;
  const facts: readonly (readonly [string, number | undefined, number | undefined])[] = [
    ['--size', options.size, layout.members.length],
    ['--port', options.port, first?.port],
    ['--secure-port', options.securePort, first?.securePort],
    ['--peer-port', options.peerPort, first?.peerPort],
    ['--client-port', options.clientPort, first?.clientPort],
  ];
  for (const [flag, given, kept] of facts) {
    if (given !== undefined && given !== kept) {
      throw new UsageError(`${flag} ${given} is not what this cluster has, which is ${kept} (${file})`);
    }
  }
}

async function newLayout(options: PlaceOptions): Promise<Layout> {
  const { size, port, securePort } = { ...USUAL, ...defined(options) };
  const { peerPort, clientPort } = options;
  const taken = new Set<number>();
  const members: MemberPlace[] = [];
  for (let position = 0; position < size; position++) {
    members.push({
      name: `m${position + 1}`,
      port: port === 0 ? 0 : take(taken, port + position),
      securePort: securePort === 0 ? 0 : take(taken, securePort + position),
      peerPort: peerPort === undefined ? 0 : take(taken, peerPort + position),
      clientPort: clientPort === undefined ? 0 : take(taken, clientPort + position),
    });
  }
  // Only now is it known which ports are spoken for.
  for (const member of members) {
    if (peerPort === undefined) member.peerPort = take(taken, await freePort(taken));
    if (clientPort === undefined) member.clientPort = take(taken, await freePort(taken));
  }
  return { format: FORMAT, token: randomBytes(8).toString('hex'), members };
}

function defined(options: PlaceOptions): Partial<typeof USUAL> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function take(taken: Set<number>, port: number): number {
  if (port > PORT_MAX)
    throw new UsageError(`there is no port ${port}: the members’ ports go up from the first one’s`);
  if (taken.has(port))
    throw new UsageError(`port ${port} would be used twice: the members’ ports go up from the first one’s`);
  taken.add(port);
  return port;
}

async function freePort(taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < FREE_PORT_ATTEMPTS_MAX; attempt++) {
    const port = randomInt(FREE_PORTS.from, FREE_PORTS.to + 1);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new StartupError('no free port was found; give --peer-port and --client-port');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
