/** Certificate signing requests: asked for, looked at, approved and denied, and issued by a signer of our own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../tools/wherry.js';
import type { Stories, Story } from './client-stories.js';

const made = JSON.parse(
  readFileSync(join(repository, 'test/fixtures/certificate-requests.json'), 'utf8'),
) as Readonly<Record<string, string>>;
const base64 = (name: string): string => Buffer.from(made[name] ?? '').toString('base64');

const manifest = (
  name: string,
  request: string,
  more = '',
  signer = 'kubernetes.io/kube-apiserver-client',
) => `
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata:
  name: ${name}
spec:
  request: ${request}
  signerName: ${signer}
  usages:
  - client auth
${more}`;

const certificates: Story = async (user) => {
  const created = (name: string) => `certificatesigningrequest.certificates.k8s.io/${name} created`;
  const mine = { input: manifest('my-user', base64('ecdsa'), '  expirationSeconds: 86400\n') };
  await user.prints('apply -f -', created('my-user'), mine);
  await user.prints('apply -f -', 'certificatesigningrequest.certificates.k8s.io/my-user unchanged', mine);
  const other = { input: manifest('other', base64('rsa'), '', 'example.com/signer') };
  await user.prints('create -f -', created('other'), other);
  await user.prints(
    'get csr my-user other',
    `
      NAME      AGE   SIGNERNAME                            REQUESTOR      REQUESTEDDURATION   CONDITION
      my-user   «age»   kubernetes.io/kube-apiserver-client   wherry:admin   24h                 Pending
      other     «age»   example.com/signer                    wherry:admin   <none>              Pending
    `,
  );
  const described = (status: string) => `
      Name:         my-user
      Labels:       <none>
      Annotations:  kubectl.kubernetes.io/last-applied-configuration=«some»

      CreationTimestamp:   «some»
      Requesting User:     wherry:admin
      Signer:              kubernetes.io/kube-apiserver-client
      Requested Duration:  24h
      Status:              ${status}
      Subject:
               Common Name:    myuser
               Serial Number:  «some»
               Organization:   developers
      Events:  <none>
    `;
  await user.prints('describe csr my-user', described('Pending'));

  const approved = 'certificatesigningrequest.certificates.k8s.io/my-user approved';
  await user.prints('certificate approve my-user', approved);
  await user.prints('certificate approve my-user', approved);
  await user.fails(
    'certificate deny my-user',
    'error: certificate signing request "my-user" is already Approved',
  );
  await user.prints('certificate deny other', 'certificatesigningrequest.certificates.k8s.io/other denied');
  await user.prints(
    'get csr --field-selector spec.signerName=example.com/signer',
    `
      NAME    AGE   SIGNERNAME           REQUESTOR      REQUESTEDDURATION   CONDITION
      other   «age»   example.com/signer   wherry:admin   <none>              Denied
    `,
  );

  // As a signer does.
  await user.send(
    'PATCH',
    '/apis/certificates.k8s.io/v1/certificatesigningrequests/my-user/status',
    { status: { certificate: base64('certificate') } },
    'application/merge-patch+json',
  );
  await user.prints(
    'get csr my-user -o wide',
    `
      NAME      AGE   SIGNERNAME                            REQUESTOR      REQUESTEDDURATION   CONDITION
      my-user   «age»   kubernetes.io/kube-apiserver-client   wherry:admin   24h                 Approved,Issued
    `,
  );
  await user.prints(
    'get csr my-user -o yaml',
    `
      apiVersion: certificates.k8s.io/v1
      kind: CertificateSigningRequest
      metadata:
        annotations:
          kubectl.kubernetes.io/last-applied-configuration: |
            «some»
        creationTimestamp: "«time»"
        name: my-user
        resourceVersion: "«number»"
        uid: «uid»
      spec:
        expirationSeconds: 86400
        extra:
          authentication.kubernetes.io/credential-id:
          - X509SHA256=«word»
        groups:
        - system:masters
        - system:authenticated
        request: ${base64('ecdsa')}
        signerName: kubernetes.io/kube-apiserver-client
        usages:
        - client auth
        username: wherry:admin
      status:
        certificate: ${base64('certificate')}
        conditions:
        - lastTransitionTime: "«time»"
          lastUpdateTime: "«time»"
          message: This CSR was approved by kubectl certificate approve.
          reason: KubectlApprove
          status: "True"
          type: Approved
    `,
  );
  await user.prints('describe csr my-user', described('Approved,Issued'));
};

const refusals: Story = async (user) => {
  const refused = (name: string, why: string) => `The CertificateSigningRequest "${name}" is invalid: ${why}`;
  await user.fails(
    'apply -f -',
    refused('a', 'spec.request: Invalid value: "bm90IFBFTQ==": PEM block type must be CERTIFICATE REQUEST'),
    { input: manifest('a', 'bm90IFBFTQ==') },
  );
  await user.fails(
    'apply -f -',
    refused(
      'b',
      `spec.request: Invalid value: "${base64('rsa-md5')}": x509: cannot verify signature: insecure algorithm MD5-RSA`,
    ),
    { input: manifest('b', base64('rsa-md5')) },
  );
  await user.fails(
    'apply -f -',
    refused(
      'c',
      `
* spec.signerName: Invalid value: "signer": must be a fully qualified domain and path of the form 'example.com/signer-name'
* spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 600 seconds (10 minutes)`,
    ),
    { input: manifest('c', base64('ecdsa'), '  expirationSeconds: 5\n', 'signer') },
  );
  await user.fails(
    'apply -f -',
    'Error from server (BadRequest): error when creating "STDIN": CertificateSigningRequest in version "v1" cannot be handled as a CertificateSigningRequest: illegal base64 data at input byte 3',
    { input: manifest('d', 'not base64') },
  );
  await user.fails(
    'apply -f -',
    'Error from server (Forbidden): error when creating "STDIN": certificatesigningrequests.certificates.k8s.io "e" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
    { input: manifest('e', base64('masters')) },
  );
  await user.fails(
    'create -f -',
    'Error from server (BadRequest): error when creating "STDIN": CertificateSigningRequest in version "v1" cannot be handled as a CertificateSigningRequest: strict decoding error: unknown field "spec.user"',
    { input: manifest('f', base64('ecdsa'), '  user: me\n') },
  );
  await user.fails(
    'certificate approve g',
    'Error from server (NotFound): certificatesigningrequests.certificates.k8s.io "g" not found',
  );
};

export const CERTIFICATES: Stories = { certificates, 'certificate-refusals': refusals };
