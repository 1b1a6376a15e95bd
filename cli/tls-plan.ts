/** What etcd's flags of TLS come to, of the client port and of the port for other members alike. */
import { addressOf } from '../storage/cluster/urls.js';
import type { TlsVersion } from './etcd/values.js';
import { UsageError } from './startup-error.js';

/** As the command line gives them. */
export interface TlsFlags {
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly trustedCaFile?: string;
  readonly clientCertAuth: boolean;
  readonly clientCrlFile?: string;
  readonly clientCertAllowedHostname?: readonly string[];
  readonly autoTls: boolean;
  readonly peerCertFile?: string;
  readonly peerKeyFile?: string;
  readonly peerClientCertFile?: string;
  readonly peerClientKeyFile?: string;
  readonly peerTrustedCaFile?: string;
  readonly peerClientCertAuth: boolean;
  readonly peerCrlFile?: string;
  readonly peerCertAllowedCn?: string;
  readonly peerCertAllowedHostname?: readonly string[];
  readonly peerAutoTls?: boolean;
  /** Years. */
  readonly selfSignedCertValidity?: number;
  /** OpenSSL's names. */
  readonly cipherSuites?: readonly string[];
  readonly tlsMinVersion?: TlsVersion;
  readonly tlsMaxVersion?: TlsVersion;
}

export type TlsSide = 'client' | 'peer';

/** Of a port, whoever the certificates are of. */
export interface TlsSettings {
  readonly side: TlsSide;
  readonly cipherSuites?: readonly string[];
  readonly minVersion?: TlsVersion;
  readonly maxVersion?: TlsVersion;
}

/** Paths. */
export interface TlsFiles extends TlsSettings {
  readonly type: 'files';
  readonly cert: string;
  readonly key: string;
  /** Shown to other members, if it is another. */
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly trustedCa?: string;
  /** Whoever connects must have a certificate of that authority. */
  readonly clientCertAuth: boolean;
  readonly crl?: string;
  readonly allowedCn?: string;
  readonly allowedHostnames?: readonly string[];
}

/** A certificate made here. */
export interface AutoTls extends TlsSettings {
  readonly type: 'auto';
  /** What it is for: hosts of the urls listened on. */
  readonly hosts: readonly string[];
  readonly years: number;
}

export type TlsPlan = TlsFiles | AutoTls;

interface SideFlags {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly trustedCa: string | undefined;
  readonly clientCertAuth: boolean;
  readonly crl: string | undefined;
  readonly allowedCn?: string | undefined;
  readonly allowedHostnames: readonly string[] | undefined;
  readonly auto: boolean;
}

/** Without dashes in front. */
export const prefixOf = (side: TlsSide): string => (side === 'client' ? '--' : '--peer-');

/** Undefined: nothing is said of TLS, and no url wants it. Throws UsageError. */
export function planTls(flags: TlsFlags, side: TlsSide, listenUrls: readonly string[]): TlsPlan | undefined {
  const given = flagsOf(flags, side);
  checkTogether(given, side);
  const settings = settingsOf(flags, side);
  const { cert, key } = given;
  if (cert !== undefined && key !== undefined) return filesOf({ ...given, cert, key }, settings);
  const secure = listenUrls.filter((url) => addressOf(url).secure);
  if (given.auto) {
    const hosts = [...new Set(secure.map((url) => addressOf(url).host))];
    return { type: 'auto', ...settings, hosts, years: flags.selfSignedCertValidity ?? 1 };
  }
  if (secure[0] === undefined) return undefined;
  const prefix = prefixOf(side);
  throw new UsageError(
    `cannot listen on TLS for ${secure[0]}: ${prefix}cert-file and ${prefix}key-file are not given`,
  );
}

function flagsOf(flags: TlsFlags, side: TlsSide): SideFlags {
  if (side === 'client') {
    return {
      cert: flags.certFile,
      key: flags.keyFile,
      trustedCa: flags.trustedCaFile,
      clientCertAuth: flags.clientCertAuth,
      crl: flags.clientCrlFile,
      allowedHostnames: flags.clientCertAllowedHostname,
      auto: flags.autoTls,
    };
  }
  return {
    cert: flags.peerCertFile,
    key: flags.peerKeyFile,
    clientCert: flags.peerClientCertFile,
    clientKey: flags.peerClientKeyFile,
    trustedCa: flags.peerTrustedCaFile,
    clientCertAuth: flags.peerClientCertAuth,
    crl: flags.peerCrlFile,
    allowedCn: flags.peerCertAllowedCn,
    allowedHostnames: flags.peerCertAllowedHostname,
    auto: flags.peerAutoTls ?? false,
  };
}

const both = (one: string, other: string) => new UsageError(`${one} and ${other} must both be given`);

function checkTogether(given: SideFlags, side: TlsSide): void {
  const prefix = prefixOf(side);
  const { cert, key, clientCert, clientKey, trustedCa } = given;
  if ((cert === undefined) !== (key === undefined)) throw both(`${prefix}cert-file`, `${prefix}key-file`);
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    throw both(`${prefix}client-cert-file`, `${prefix}client-key-file`);
  }
  if (trustedCa === undefined) {
    const wantsOne = restrictionOf(given, side);
    if (wantsOne !== undefined) throw new UsageError(`${wantsOne} needs ${prefix}trusted-ca-file`);
  }
  if (given.allowedCn !== undefined && given.allowedHostnames !== undefined) {
    throw new UsageError(
      `${prefix}cert-allowed-cn and ${prefix}cert-allowed-hostname are mutually exclusive`,
    );
  }
  if (trustedCa !== undefined && cert === undefined) {
    throw new UsageError(`${prefix}trusted-ca-file needs ${prefix}cert-file and ${prefix}key-file`);
  }
}

/** A flag that can only hold where certificates are asked for. */
function restrictionOf(given: SideFlags, side: TlsSide): string | undefined {
  const { clientCertAuth, crl, allowedCn, allowedHostnames } = given;
  const isPeer = side === 'peer';
  if (clientCertAuth) return isPeer ? '--peer-client-cert-auth' : '--client-cert-auth';
  if (crl !== undefined) return isPeer ? '--peer-crl-file' : '--client-crl-file';
  if (allowedCn !== undefined) return '--peer-cert-allowed-cn';
  if (allowedHostnames === undefined) return undefined;
  return isPeer ? '--peer-cert-allowed-hostname' : '--client-cert-allowed-hostname';
}

function settingsOf(flags: TlsFlags, side: TlsSide): TlsSettings {
  const { cipherSuites, tlsMinVersion, tlsMaxVersion } = flags;
  if (tlsMinVersion === 'TLSv1.3' && tlsMaxVersion === 'TLSv1.2') {
    throw new UsageError('min version (TLS1.3) is greater than max version (TLS1.2)');
  }
  if (tlsMinVersion === 'TLSv1.3' && cipherSuites !== undefined && cipherSuites.length > 0) {
    throw new UsageError('cipher suites cannot be configured when only TLS1.3 is enabled');
  }
  return {
    side,
    ...(cipherSuites && cipherSuites.length > 0 && { cipherSuites }),
    ...(tlsMinVersion && { minVersion: tlsMinVersion }),
    ...(tlsMaxVersion && { maxVersion: tlsMaxVersion }),
  };
}

function filesOf(
  given: SideFlags & { readonly cert: string; readonly key: string },
  settings: TlsSettings,
): TlsFiles {
  const { cert, key, clientCert, clientKey, trustedCa, crl, allowedCn, allowedHostnames } = given;
  return {
    type: 'files',
    ...settings,
    cert,
    key,
    ...(clientCert !== undefined && clientKey !== undefined && { clientCert, clientKey }),
    ...(trustedCa !== undefined && { trustedCa }),
    // As in etcd: who names the authority of others wants to see their certificates.
    clientCertAuth: given.clientCertAuth || trustedCa !== undefined,
    ...(crl !== undefined && { crl }),
    ...(allowedCn !== undefined && { allowedCn }),
    ...(allowedHostnames !== undefined && { allowedHostnames }),
  };
}
