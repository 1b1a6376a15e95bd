/** The file that lets kubectl and every client library reach a server, or those of a cluster, as the administrator. */
import type { Certificates } from './pki/certificates.js';

export interface KubeconfigOptions {
  /** A context of its own for each, the current one first. The url of the secure port, or of the plain one without it. */
  readonly servers: readonly { readonly name: string; readonly url: string }[];
  /** Embedded for HTTPS; plain HTTP asks for no credentials. */
  readonly certificates?: Certificates;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** The user that every context has. */
const USER = 'wherry';

/** YAML of a kubeconfig. */
export function kubeconfig({ servers, certificates }: KubeconfigOptions): string {
  const authority =
    certificates === undefined
      ? ''
      : `\n      certificate-authority-data: ${base64(certificates.authority.cert)}`;
  const user =
    certificates === undefined
      ? ' {}'
      : `
      client-certificate-data: ${base64(certificates.administrator.cert)}
      client-key-data: ${base64(certificates.administrator.key)}`;
  const clusters = servers.map(
    ({ name, url }) => `  - name: ${name}
    cluster:
      server: ${url}${authority}
`,
  );
  const contexts = servers.map(
    ({ name }) => `  - name: ${name}
    context:
      cluster: ${name}
      user: ${USER}
`,
  );
  return `apiVersion: v1
kind: Config
current-context: ${servers[0]?.name ?? ''}
clusters:
${clusters.join('')}users:
  - name: ${USER}
    user:${user}
contexts:
${contexts.join('')}`;
}
