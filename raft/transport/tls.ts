/** Certificates between members, as etcd's `--peer-…` flags give them. */
import { constants } from 'node:crypto';
import type { ServerOptions } from 'node:https';
import {
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
  type Server,
  type TLSSocket,
} from 'node:tls';

type Pem = string | Buffer;

export interface PeerTls {
  /** Presented as a server, and as a client to whoever asks for one. */
  readonly cert: Pem;
  readonly key: Pem;
  /** Presented as a client in their place. */
  readonly clientCert?: Pem;
  readonly clientKey?: Pem;
  /** Who may have signed the other side's certificate; the well-known authorities when absent. */
  readonly trustedCa?: Pem | undefined;
  /** Only who presents a certificate signed so may connect. */
  readonly clientCertAuth: boolean;
  /** Certificates that count no more. */
  readonly crl?: Pem;
  /** The common name that whoever connects must have. */
  readonly allowedCn?: string;
  /** Names, one of which the certificate of whoever connects must be for. */
  readonly allowedHostnames?: readonly string[];
  /** OpenSSL's list of ciphers of TLS up to 1.2. */
  readonly ciphers?: string;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  /** False: whatever certificate the other side presents as a server is good. True when absent. */
  readonly verifies?: boolean;
  /** Calls when there are other certificates and keys in place of these. Returns a function that ends that. */
  readonly onRenewed?: (listener: (tls: PeerTls) => void) => () => void;
}

export function serverTlsOptions(tls: PeerTls): ServerOptions {
  const { clientCertAuth } = tls;
  return { ...serverContextOptions(tls), requestCert: clientCertAuth, rejectUnauthorized: clientCertAuth };
}

function serverContextOptions(tls: PeerTls): SecureContextOptions {
  const { cert, key, trustedCa, crl } = tls;
  return {
    cert,
    key,
    ...(trustedCa !== undefined && { ca: trustedCa }),
    ...(crl !== undefined && { crl }),
    ...protocolOf(tls),
    // A ticket costs each connection memory, to resume what is made once an hour.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** Those who connect from now on see what is renewed. */
export function followRenewals(server: Server, tls: PeerTls): void {
  const end = tls.onRenewed?.((renewed) => server.setSecureContext(serverContextOptions(renewed)));
  if (end !== undefined) server.once('close', end);
}

/** Whether who has connected, with a certificate that is good, is one of those allowed. */
export function isAllowed({ allowedCn, allowedHostnames }: PeerTls, socket: TLSSocket): boolean {
  if (allowedCn === undefined && allowedHostnames === undefined) return true;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return false;
  if (allowedCn !== undefined && socket.getPeerCertificate().subject.CN !== allowedCn) return false;
  return allowedHostnames?.some((name) => certificate.checkHost(name) !== undefined) ?? true;
}

/** How to connect to others. Made once: it parses certificates. */
export interface ClientTls {
  readonly secureContext: SecureContext;
  /** False: whatever certificate the other side presents is good. */
  readonly verifies: boolean;
}

/** Throws what OpenSSL says of certificates that it cannot read. Undefined: Node's defaults. */
export function clientTls(tls: PeerTls | undefined): ClientTls | undefined {
  if (tls === undefined) return undefined;
  const { cert, key, clientCert = cert, clientKey = key, trustedCa, verifies = true } = tls;
  const secureContext = createSecureContext({
    cert: clientCert,
    key: clientKey,
    ...(trustedCa !== undefined && { ca: trustedCa }),
    ...protocolOf(tls),
  });
  return { secureContext, verifies };
}

function protocolOf({ ciphers, minVersion, maxVersion }: PeerTls) {
  return {
    ...(ciphers !== undefined && { ciphers }),
    ...(minVersion !== undefined && { minVersion }),
    ...(maxVersion !== undefined && { maxVersion }),
  };
}
