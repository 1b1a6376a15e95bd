/** Starts the HTTP layer on free ports over fake registries, with certificates of its own. */
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { Agent } from 'undici';
import { pino } from 'pino';
import type { Test } from 'tap';
import { type ApiServerOptions, createApiServer } from '../../apiserver/server.js';
import { ServiceAccountTokens } from '../../apiserver/auth/service-account-tokens.js';
import { givenKeys, type TokenKeys } from '../../apiserver/auth/token-keys.js';
import { deployments } from '../../schemas/apps/v1/deployment.js';
import { selfSubjectAccessReviews } from '../../schemas/authorization/v1/self-subject-access-review.js';
import { leases } from '../../schemas/coordination/v1/lease.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import { namespaces } from '../../schemas/core/v1/namespace.js';
import { secrets } from '../../schemas/core/v1/secret.js';
import { serviceAccounts } from '../../schemas/core/v1/service-account.js';
import { FakeTable } from './http-fake.js';

export interface Credentials {
  readonly key: string;
  readonly cert: string;
}

export interface Certificates {
  readonly ca: string;
  readonly server: Credentials;
  /** Of the user `admin` in the group `system:masters`. */
  readonly client: Credentials;
  /** The same names, signed by another CA. */
  readonly stranger: Credentials;
}

let made: Promise<Certificates> | undefined;

/** Made once for a test file. */
export const certificates = (): Promise<Certificates> => (made ??= makeCertificates());

async function makeCertificates(): Promise<Certificates> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keyPair = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const notAfter = new Date(Date.now() + 86_400_000);
  const authority = async (name: string) => {
    const keys = await keyPair();
    const cert = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys: keys as never,
      notAfter,
      signingAlgorithm: algorithm,
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    });
    return { keys, cert };
  };
  const issue = async (ca: Awaited<ReturnType<typeof authority>>, subject: string, use: string) => {
    const keys = await keyPair();
    const cert = await x509.X509CertificateGenerator.create({
      subject,
      issuer: ca.cert.subject,
      publicKey: keys.publicKey as never,
      signingKey: ca.keys.privateKey as never,
      notAfter,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.ExtendedKeyUsageExtension([use]),
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: 'wherry.test' },
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
        ]),
      ],
    });
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
    const lines = pkcs8.replace(/.{64}/g, '$&\n');
    return {
      cert: cert.toString('pem'),
      key: `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`,
    };
  };
  const ca = await authority('test-ca');
  const other = await authority('other-ca');
  const forServers = '1.3.6.1.5.5.7.3.1';
  const forClients = '1.3.6.1.5.5.7.3.2';
  return {
    ca: ca.cert.toString('pem'),
    server: await issue(ca, 'CN=wherry', forServers),
    client: await issue(ca, 'CN=admin,O=system:masters', forClients),
    stranger: await issue(other, 'CN=admin,O=system:masters', forClients),
  };
}

/** Signs with a key of its own. */
export function testKeys(): TokenKeys {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return givenKeys(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), []);
}

export interface Harness {
  readonly table: FakeTable;
  readonly tokens: ServiceAccountTokens;
  readonly plain: string;
  readonly secure: string;
  readonly port: number;
  readonly securePort: number;
  readonly certificates: Certificates;
  /** For undici's `request`, with the administrator's certificate. */
  readonly agent: Agent;
  /** An HTTP/2 connection with the administrator's certificate. */
  http2(): ClientHttp2Session;
  /** Stops the server and leaves the clients to it. */
  stop(): Promise<void>;
  close(): Promise<void>;
  /** Lines logged so far. */
  readonly log: Record<string, unknown>[];
}

export async function start(
  t: Pick<Test, 'teardown'>,
  options: Partial<ApiServerOptions> = {},
): Promise<Harness> {
  const certs = await certificates();
  const table = new FakeTable([
    configMaps,
    namespaces,
    secrets,
    serviceAccounts,
    deployments,
    selfSubjectAccessReviews,
    leases,
  ]);
  const tokens = new ServiceAccountTokens({
    registries: { table },
    keys: testKeys(),
    issuers: ['https://kubernetes.default.svc'],
  });
  const log: Record<string, unknown>[] = [];
  const server = await createApiServer({
    registries: { table },
    tokens,
    client: { status: async () => ({}) as never, currentRevision: async () => 1 },
    tls: { ...certs.server, clientCa: certs.ca },
    bindAddress: '127.0.0.1',
    port: 0,
    securePort: 0,
    version: '0.0.0-test',
    logger: pino(
      { level: 'debug' },
      { write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>) },
    ),
    ...options,
  });
  const { port = 0, securePort = 0 } = await server.listen();
  // By name, so that tests may send any Host.
  const agent = new Agent({ connect: { ca: certs.ca, ...certs.client, servername: 'localhost' } });
  const sessions: ClientHttp2Session[] = [];
  const close = async () => {
    for (const session of sessions) session.destroy();
    await agent.destroy();
    await server.close();
  };
  t.teardown(close);
  return {
    table,
    tokens,
    plain: `http://127.0.0.1:${port}`,
    secure: `https://127.0.0.1:${securePort}`,
    port,
    securePort,
    certificates: certs,
    agent,
    log,
    stop: () => server.close(),
    close,
    http2() {
      const session = connectHttp2(`https://127.0.0.1:${securePort}`, { ca: certs.ca, ...certs.client });
      session.on('error', () => undefined);
      sessions.push(session);
      return session;
    },
  };
}
