/** Certificates between members, as etcd's `--peer-…` flags give them. */
import { constants } from 'node:crypto';
import type { ServerOptions } from 'node:https';
import { createSecureContext, type SecureContext } from 'node:tls';

type Pem = string | Buffer;

export interface PeerTls {
  /** Presented as a server, and as a client to whoever asks for one. */
  readonly cert: Pem;
  readonly key: Pem;
  /** Who may have signed the other side's certificate; the well-known authorities when absent. */
  readonly trustedCa?: Pem | undefined;
  /** Only who presents a certificate signed so may connect. */
  readonly clientCertAuth: boolean;
}

export function serverTlsOptions({ cert, key, trustedCa, clientCertAuth }: PeerTls): ServerOptions {
  return {
    cert,
    key,
    ...(trustedCa !== undefined && { ca: trustedCa }),
    requestCert: clientCertAuth,
    rejectUnauthorized: clientCertAuth,
    // A ticket costs each connection memory, to resume what is made once an hour.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** Made once: it parses certificates. Throws what OpenSSL says of those it cannot read. Undefined: Node's defaults. */
export function clientTlsContext(tls: PeerTls | undefined): SecureContext | undefined {
  if (tls === undefined) return undefined;
  const { cert, key, trustedCa } = tls;
  return createSecureContext({ cert, key, ...(trustedCa !== undefined && { ca: trustedCa }) });
}
