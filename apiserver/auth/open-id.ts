/**
 * What others need to verify service account tokens by themselves: the issuer's metadata (OpenID Connect Discovery 1.0)
 * and its public keys (RFC 7517).
 */
import type { ServiceAccountTokens } from './service-account-tokens.js';
import type { TokenKey } from './token-keys.js';

export const openIdConfigurationPath = '/.well-known/openid-configuration';
export const keySetPath = '/openid/v1/jwks';

export interface OpenIdDocument {
  readonly contentType: string;
  readonly json: Buffer;
}

/** Seconds that clients may keep a document. */
export const openIdMaxAgeSeconds = 3600;

/** Only of issuers that OpenID Connect allows are there documents. */
const isPublishable = (issuer: string): boolean => /^https:\/\/[^?#]+$/.test(issuer);

/**
 * Undefined: there is none at this path. `address`: host and port by which clients reach the server. Makes the first key
 * where there is none yet: a verifier may ask before the first token.
 */
export async function openIdDocument(
  tokens: ServiceAccountTokens,
  address: string,
  path: string,
): Promise<OpenIdDocument | undefined> {
  if (path !== openIdConfigurationPath && path !== keySetPath) return undefined;
  if (!isPublishable(tokens.issuer)) return undefined;
  const keys = await tokens.publicKeys();
  return path === keySetPath
    ? { contentType: 'application/jwk-set+json', json: toJson({ keys: keys.map(webKey) }) }
    : { contentType: 'application/json', json: toJson(configuration(tokens.issuer, address, keys)) };
}

const toJson = (value: object): Buffer => Buffer.from(JSON.stringify(value));

function configuration(issuer: string, address: string, keys: readonly TokenKey[]): object {
  return {
    issuer,
    jwks_uri: `https://${address}${keySetPath}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(keys.map(({ algorithm }) => algorithm))].sort(),
  };
}

/** Members in the order in which upstream has them. */
function webKey({ id, algorithm, key }: TokenKey): object {
  const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' });
  return { use: 'sig', kty, kid: id, crv, alg: algorithm, x, y, n, e };
}
