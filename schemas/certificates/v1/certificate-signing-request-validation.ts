/**
 * Rules of CertificateSigningRequest. What older releases have stored against a rule may stay, so rules of an update look
 * at what was there.
 */
import { X509Certificate } from 'node:crypto';
import { addAll } from '../../add-all.js';
import type { KubeObject } from '../../definition.js';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../../field-error.js';
import { goQuote } from '../../go-quote.js';
import { byteLength, dns1123Label, dns1123Subdomain } from '../../validation/names.js';
import { type Condition, specOf, statusOf, USAGES } from './certificate-signing-request-schema.js';
import { pemBlocks } from './pem.js';

const CONDITIONS = 'status.conditions';
const CERTIFICATE = 'status.certificate';
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown';
const EXPIRATION_SECONDS_MIN = 600;
/** A subdomain, a slash, and a label with a subdomain behind a dot: `<domain>/<namespace>.<name>`. */
const DOMAIN_BYTES_MAX = 253;
const SIGNER_NAME_BYTES_MAX = DOMAIN_BYTES_MAX + 1 + 63 + 1 + 253;

const APPROVALS = ['Approved', 'Denied'] as const;
/** Conditions that are True or not there, and that stay. */
const LASTING = [...APPROVALS, 'Failed'] as const;
const STATUSES = ['False', 'True', 'Unknown'];

/** What a write may do beyond changing metadata. */
export interface Allowed {
  readonly approval?: boolean;
  readonly certificate?: boolean;
}

/** `problem`: what is wrong with spec.request. `old`: absent on create. */
export function validateSigningRequest(
  object: KubeObject,
  problem: string | undefined,
  old?: KubeObject,
): FieldError[] {
  const { request = null, signerName = '', expirationSeconds, usages = [] } = specOf(object);
  const errors: FieldError[] = [];
  if (problem !== undefined) errors.push(invalid('spec.request', request, problem));
  addAll(errors, validateUsages(usages, old === undefined ? [] : (specOf(old).usages ?? [])));
  const legacyMayStay = old !== undefined && specOf(old).signerName === LEGACY_SIGNER;
  if (signerName === LEGACY_SIGNER && !legacyMayStay) {
    const why = 'the legacy signerName is not allowed via this API version';
    errors.push(invalid('spec.signerName', signerName, why));
  } else {
    addAll(errors, validateSignerName(signerName, 'spec.signerName'));
  }
  if (expirationSeconds !== undefined && expirationSeconds < EXPIRATION_SECONDS_MIN) {
    const why = `may not specify a duration less than ${EXPIRATION_SECONDS_MIN} seconds (10 minutes)`;
    errors.push(invalid('spec.expirationSeconds', expirationSeconds, why));
  }
  addAll(errors, validateConditions(conditionsOf(object), conditionsOf(old)));
  const before = old === undefined ? '' : certificateOf(old);
  const certificate = certificateOf(object);
  if (certificate !== before && certificateProblem(before) === undefined) {
    const why = certificateProblem(certificate);
    if (why !== undefined) errors.push(invalid(CERTIFICATE, '<certificate data>', why));
  }
  return errors;
}

export function validateSigningRequestUpdate(
  object: KubeObject,
  old: KubeObject,
  allowed: Allowed,
): FieldError[] {
  const errors = validateSigningRequest(object, undefined, old);
  const [conditions, oldConditions] = [conditionsOf(object), conditionsOf(old)];
  const added = (type: string): number => countOf(conditions, type) - countOf(oldConditions, type);
  for (const type of LASTING) {
    if (added(type) >= 0) continue;
    errors.push(forbidden(CONDITIONS, `updates may not remove a condition of type ${goQuote(type)}`));
  }
  for (const type of allowed.approval === true ? [] : APPROVALS) {
    if (added(type) <= 0) continue;
    errors.push(forbidden(CONDITIONS, `updates may not add a condition of type ${goQuote(type)}`));
  }
  const before = certificateOf(old);
  if (certificateOf(object) === before) return errors;
  if (allowed.certificate !== true) {
    errors.push(forbidden(CERTIFICATE, 'updates may not set certificate content'));
  } else if (before !== '') {
    errors.push(forbidden(CERTIFICATE, 'updates may not modify existing certificate content'));
  }
  return errors;
}

const conditionsOf = (object: KubeObject | undefined): readonly Condition[] =>
  object === undefined ? [] : (statusOf(object).conditions ?? []);
const certificateOf = (object: KubeObject): string => statusOf(object).certificate ?? '';
const countOf = (conditions: readonly Condition[], wanted: string): number =>
  conditions.filter(({ type }) => type === wanted).length;

const hasDuplicates = (values: readonly string[]): boolean => new Set(values).size < values.length;

function validateUsages(usages: readonly string[], old: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (usages.length === 0) errors.push(required('spec.usages'));
  if (old.every((usage) => USAGES.includes(usage))) {
    for (const [i, usage] of usages.entries()) {
      if (!USAGES.includes(usage)) errors.push(notSupported(`spec.usages[${i}]`, usage, USAGES));
    }
  }
  if (hasDuplicates(old)) return errors;
  const seen = new Set<string>();
  for (const [i, usage] of usages.entries()) {
    if (seen.has(usage)) errors.push(duplicate(`spec.usages[${i}]`, usage));
    seen.add(usage);
  }
  return errors;
}

/** `example.com/name`, up to `<domain>/<namespace>.<name>`. */
export function validateSignerName(signerName: string, field: string): FieldError[] {
  if (signerName === '') return [required(field)];
  const [domain = '', path, ...more] = signerName.split('/');
  if (path === undefined || more.length > 0) {
    const why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalid(field, signerName, why)];
  }
  const errors: FieldError[] = [];
  if (byteLength(domain) > DOMAIN_BYTES_MAX) errors.push(tooLong(field, DOMAIN_BYTES_MAX));
  addAll(errors, firstWrongLabel(domain, field, dns1123Label));
  if (!domain.includes('.')) {
    const why = 'should be a domain with at least two segments separated by dots';
    errors.push(invalid(field, domain, why));
  }
  addAll(errors, firstWrongLabel(path, field, dns1123Subdomain));
  if (byteLength(signerName) > SIGNER_NAME_BYTES_MAX) errors.push(tooLong(field, SIGNER_NAME_BYTES_MAX));
  return errors;
}

function firstWrongLabel(
  segment: string,
  field: string,
  problemsOf: (label: string) => string[],
): FieldError[] {
  for (const label of segment.split('.')) {
    const problems = problemsOf(label);
    if (problems.length === 0) continue;
    return problems.map((problem) =>
      invalid(field, segment, `validating label ${goQuote(label)}: ${problem}`),
    );
  }
  return [];
}

function validateConditions(conditions: readonly Condition[], old: readonly Condition[]): FieldError[] {
  const errors: FieldError[] = [];
  const oldTypes = old.map(({ type }) => type);
  const emptyMayStay = oldTypes.includes('');
  const duplicatesMayStay = hasDuplicates(oldTypes);
  const bothMayStay = APPROVALS.every((type) => oldTypes.includes(type));
  const seen = new Set<string>();
  for (const [i, { type, status }] of conditions.entries()) {
    const path = `${CONDITIONS}[${i}]`;
    if (type === '' && !emptyMayStay) errors.push(required(`${path}.type`));
    const supported = isLasting(type) ? ['True'] : STATUSES;
    if (status === '') errors.push(required(`${path}.status`));
    else if (!supported.includes(status)) errors.push(notSupported(`${path}.status`, status, supported));
    const other = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined;
    if (other !== undefined && seen.has(other) && !bothMayStay) {
      errors.push(invalid(CONDITIONS, type, 'Approved and Denied conditions are mutually exclusive'));
    }
    if (seen.has(type) && !duplicatesMayStay) errors.push(duplicate(`${path}.type`, type));
    seen.add(type);
  }
  return errors;
}

const isLasting = (type: string): boolean => (LASTING as readonly string[]).includes(type);

/** What is wrong with certificates in PEM, in base64; none at all are good. */
function certificateProblem(base64: string): string | undefined {
  if (base64 === '') return undefined;
  let blocks = 0;
  for (const { type, hasHeaders, bytes } of pemBlocks(Buffer.from(base64, 'base64').toString('latin1'))) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${goQuote(type)}`;
    if (hasHeaders) return 'no PEM block headers are permitted';
    blocks++;
    if (bytes.length === 0) return 'found CERTIFICATE PEM block containing 0 certificates';
    if (!holdsCertificates(bytes)) return 'x509: malformed certificate';
  }
  return blocks === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined;
}

/** One after the other, in DER. */
function holdsCertificates(der: Buffer): boolean {
  try {
    for (let rest = der; rest.length > 0; ) rest = rest.subarray(new X509Certificate(rest).raw.length);
    return true;
  } catch {
    return false;
  }
}
