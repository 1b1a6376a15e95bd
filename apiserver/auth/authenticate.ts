/** Who asks. The first stage of the chain that later work extends: each authenticator knows one kind of credentials. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { localAdministrator, type UserInfo } from '../request.js';
import { AUTHENTICATED } from './service-account-user.js';

/** What authenticators see of a request. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  readonly socket: Socket;
  /** HTTP/2: the requests of one connection share it. */
  readonly stream?: { readonly session?: object | undefined } | undefined;
}

/**
 * Undefined: there are no credentials that are mine. A promise only where there are and they take time: it does not come
 * to nothing, but rejects with StatusError 401 when they are not good.
 */
export type Authenticate = (request: Credentials) => UserInfo | Promise<UserInfo> | undefined;

/** Tries one after the other, until one takes the request for its own. */
export const anyOf =
  (authenticators: readonly Authenticate[]): Authenticate =>
  (request) => {
    for (const authenticate of authenticators) {
      const user = authenticate(request);
      if (user !== undefined) return user;
    }
    return undefined;
  };

/**
 * Whoever reaches the plain port is on this machine: it listens on loopback only and hears loopback names only.
 * `isLocal`: the connection was accepted there. Anything else about a connection can be lost before it is looked at.
 */
export const loopbackAdministrator =
  (isLocal: (socket: Socket) => boolean): Authenticate =>
  ({ socket }) =>
    isLocal(socket) ? localAdministrator : undefined;

/**
 * Client certificates signed by our CA: the common name is the user, organizations are groups. Read once for each
 * connection.
 */
export function clientCertificate(): Authenticate {
  const users = new WeakMap<object, UserInfo | 'none'>();
  return (request) => {
    const connection = request.stream?.session ?? request.socket;
    let user = users.get(connection);
    if (user === undefined) {
      user = userOfConnection(request.socket as TLSSocket) ?? 'none';
      users.set(connection, user);
    }
    return user === 'none' ? undefined : user;
  };
}

/**
 * `authorized` alone proves nothing: a resumed TLS 1.3 session without any certificate counts as authorized. So both
 * are asked for: the handshake's verdict and a certificate.
 */
function userOfConnection(socket: TLSSocket): UserInfo | undefined {
  if (!socket.authorized) return undefined;
  const certificate: Partial<PeerCertificate> | null = socket.getPeerCertificate();
  // Of several names Go takes the last.
  const username = ([certificate?.subject?.CN].flat() as unknown[]).at(-1);
  if (typeof username !== 'string' || username === '') return undefined;
  const organizations = ([certificate?.subject?.O].flat() as unknown[]).filter(
    (organization) => typeof organization === 'string',
  );
  const fingerprint = certificate?.fingerprint256?.replaceAll(':', '').toLowerCase();
  return {
    username,
    uid: '',
    groups: [...organizations.filter((group) => group !== AUTHENTICATED), AUTHENTICATED],
    extra:
      fingerprint === undefined
        ? {}
        : { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
  };
}
