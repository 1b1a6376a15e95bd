/** CertificateSubjectRestriction: nobody gets a certificate that lets its holder do everything. */
import { organizationsOf } from '../../schemas/certificates/v1/certificate-signing-request.js';
import { forbidden } from '../errors.js';
import type { AdmissionPlugin } from './plugin.js';

const SIGNER = 'kubernetes.io/kube-apiserver-client';
/** The group whose members no authorizer is asked about. */
const ADMINISTRATORS = 'system:masters';

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  handles: ({ operation, definition: { group, plural }, subresource }) =>
    operation === 'CREATE' &&
    plural === 'certificatesigningrequests' &&
    group === 'certificates.k8s.io' &&
    subresource === '',
  validate({ object, name, definition: { group, plural } }) {
    const spec = object?.['spec'] as { readonly signerName?: string } | undefined;
    if (object === undefined || spec?.signerName !== SIGNER) return;
    if (!organizationsOf(object).includes(ADMINISTRATORS)) return;
    const why = `use of ${SIGNER} signer with ${ADMINISTRATORS} group is not allowed`;
    throw forbidden({ group, name: plural }, name, why);
  },
};
