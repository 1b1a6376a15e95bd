/** The file that lets kubectl and every client library reach this server as its administrator. */
import type { Certificates } from './pki/certificates.js';

export interface KubeconfigOptions {
  /** URL to put in: the secure port's, or the plain one's where that is off. */
  readonly server: string;
  /** Embedded for HTTPS; plain HTTP asks for no credentials. */
  readonly certificates?: Certificates;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** YAML of a kubeconfig whose current context is `wherry`. */
export function kubeconfig({ server, certificates }: KubeconfigOptions): string {
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
  return `apiVersion: v1
kind: Config
current-context: wherry
clusters:
  - name: wherry
    cluster:
      server: ${server}${authority}
users:
  - name: wherry
    user:${user}
contexts:
  - name: wherry
    context:
      cluster: wherry
      user: wherry
`;
}
