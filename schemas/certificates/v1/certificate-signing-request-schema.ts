/** The fields of CertificateSigningRequest. */
import type { KubeObject } from '../../definition.js';
import { bytes, describe, int32, list, map, once, struct, text } from '../../fields.js';
import { kubeObject, time } from '../../meta/v1.js';

const CERTIFICATES = 'io.k8s.api.certificates.v1';

/** What a certificate may be good for, sorted. */
export const USAGES: readonly string[] = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastUpdateTime?: string | null;
  readonly lastTransitionTime?: string | null;
}
export interface RequestSpec {
  readonly request?: string | null;
  readonly signerName?: string;
  readonly expirationSeconds?: number;
  readonly usages?: readonly string[];
  readonly username?: string;
}
export interface RequestStatus {
  readonly conditions?: readonly Condition[];
  readonly certificate?: string;
}
export const specOf = (object: KubeObject): RequestSpec => object['spec'] ?? {};
export const statusOf = (object: KubeObject): RequestStatus => object['status'] ?? {};

const spec = once(() =>
  struct(
    `${CERTIFICATES}.CertificateSigningRequestSpec`,
    {
      request: bytes({ printsNull: true, description: 'A PKCS #10 request in PEM, in base64.' }),
      signerName: text({
        default: '',
        description: 'Who is asked to sign, as `example.com/name`. What a signer signs, it documents itself.',
      }),
      expirationSeconds: int32({
        description: 'How long the certificate should be good for, at least 600. The signer decides.',
      }),
      usages: list(text({ enum: USAGES, goType: 'v1.KeyUsage' }), {
        listType: 'atomic',
        description: 'What the key will be used for.',
      }),
      username: text({ omitEmpty: true, description: 'Who made this request. Set by the server.' }),
      uid: text({ omitEmpty: true, description: 'Of who made it. Set by the server.' }),
      groups: list(text(), { listType: 'atomic', description: 'Of who made it. Set by the server.' }),
      extra: map(list(text(), { goType: 'v1.ExtraValue' }), {
        description: 'More about who made it. Set by the server.',
      }),
    },
    { description: 'What is asked for. Never changes.', required: ['request', 'signerName'] },
  ),
);

const condition = once(() =>
  struct(
    `${CERTIFICATES}.CertificateSigningRequestCondition`,
    {
      type: text({
        default: '',
        goType: 'v1.RequestConditionType',
        description: 'Approved, Denied or Failed, which stay once they are there, or another.',
      }),
      status: text({
        default: '',
        goType: 'v1.ConditionStatus',
        description: 'True, False or Unknown; of the three that stay True.',
      }),
      reason: text({ omitEmpty: true }),
      message: text({ omitEmpty: true }),
      lastUpdateTime: time({ printsNull: true }),
      lastTransitionTime: time({ printsNull: true, description: 'When status last changed.' }),
    },
    { description: 'What was decided, or went wrong.', required: ['type', 'status'] },
  ),
);

const status = once(() =>
  struct(
    `${CERTIFICATES}.CertificateSigningRequestStatus`,
    {
      conditions: list(condition(), {
        listType: 'map',
        listMapKeys: ['type'],
        description: 'Set through `approval` where they approve or deny, else through `status`.',
      }),
      certificate: bytes({
        description: 'Certificates in PEM, in base64: the one asked for, and those above it.',
      }),
    },
    { description: 'What was decided, and the certificate.' },
  ),
);

export const DESCRIPTION = 'Asks a signer for a certificate.';

export const certificateSigningRequest = once(() =>
  kubeObject(
    `${CERTIFICATES}.CertificateSigningRequest`,
    { spec: describe(spec(), { default: {} }), status: describe(status(), { default: {} }) },
    { description: DESCRIPTION, required: ['spec'] },
  ),
);
