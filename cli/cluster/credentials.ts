/** One authority for all members, so that one kubeconfig is good for each of them. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plainUrl } from '../announce.js';
import { kubeconfig } from '../kubeconfig.js';
import { loadCertificates, writePrivate } from '../pki/certificates.js';
import { secureUrlOf } from './announce.js';
import type { Layout } from './layout.js';

/** Gives each member the authority, and writes the kubeconfig; returns its path. */
export async function writeCredentials(folder: string, { members }: Layout): Promise<string> {
  const certificates = await loadCertificates({
    folder: join(folder, 'pki'),
    bindAddress: '127.0.0.1',
    now: Date.now(),
  });
  for (const { name } of members) {
    const pki = join(folder, name, 'pki');
    await mkdir(pki, { recursive: true, mode: 0o700 });
    await writeIfNew(join(pki, 'ca.key'), certificates.authority.key);
    await writeIfNew(join(pki, 'ca.crt'), certificates.authority.cert);
  }
  const [first] = members;
  const named = first === undefined ? members : [{ ...first, name: 'wherry' }, ...members];
  const isSecure = first?.securePort !== 0;
  const servers = named.map((place) => ({
    name: place.name,
    url: (isSecure ? secureUrlOf(place) : plainUrl(place)) ?? '',
  }));
  const file = join(folder, 'kubeconfig');
  await writeIfNew(file, kubeconfig({ servers, ...(isSecure && { certificates }) }));
  return file;
}

async function writeIfNew(file: string, text: string): Promise<void> {
  const old = await readFile(file, 'utf8').catch(() => undefined);
  if (old !== text) await writePrivate(file, text);
}
