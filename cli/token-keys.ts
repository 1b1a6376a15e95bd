/** The keys of service account tokens: from the files that flags name, or in the store. */
import { readFileSync } from 'node:fs';
import {
  givenKeys,
  publicKeysOfPem,
  StoredKeys,
  TokenKeyError,
  type TokenKeys,
} from '../apiserver/auth/token-keys.js';
import type { EtcdClient } from '../storage/client/interface.js';
import type { ServiceAccountFlags } from './service-account-flags.js';
import { UsageError } from './startup-error.js';

/** Throws UsageError, naming the flag, for what cannot be read or is no fit key. */
export function tokenKeysOf(
  { serviceAccountSigningKeyFile: signing, serviceAccountKeyFile: files = [] }: ServiceAccountFlags,
  client: EtcdClient,
  keyRoot: string,
): TokenKeys {
  const verifying = files.flatMap((path) => read('--service-account-key-file', path, publicKeysOfPem));
  if (signing === undefined) return new StoredKeys(client, keyRoot, verifying);
  return read('--service-account-signing-key-file', signing, (pem) => givenKeys(pem, verifying));
}

function read<T>(flag: string, path: string, parse: (pem: string) => T): T {
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${flag}: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return parse(pem);
  } catch (error) {
    if (error instanceof TokenKeyError) throw new UsageError(`${flag} ${path}: ${error.message}`);
    throw error;
  }
}
