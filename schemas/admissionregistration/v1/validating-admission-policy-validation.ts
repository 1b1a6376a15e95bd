/** Rules of a ValidatingAdmissionPolicy and its status. */
import { addAll } from '../../add-all.js';
import type { KubeObject } from '../../definition.js';
import { duplicate, type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { type Condition, validateConditions } from '../../validation/conditions.js';
import { validateLabelName } from '../../validation/metadata.js';
import { byteLength } from '../../validation/names.js';
import { type PolicySpec, validatePolicy } from './policy-validation.js';

const AUDIT_ANNOTATIONS_MAX = 20;
const VALUE_EXPRESSION_BYTES_MAX = 5 * 1024;
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const NOTHING_TO_DO = 'validations or auditAnnotations must contain at least one item';

interface Validation {
  readonly expression?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly messageExpression?: string;
}
interface AuditAnnotation {
  readonly key?: string;
  readonly valueExpression?: string;
}
export interface ValidatingPolicySpec extends PolicySpec {
  validations?: readonly Validation[];
  auditAnnotations?: readonly AuditAnnotation[];
}

export const specOf = (object: KubeObject): ValidatingPolicySpec => object['spec'] ?? {};

export function validateValidatingPolicy(object: KubeObject, old?: KubeObject): FieldError[] {
  const spec = specOf(object);
  const { validations = [], auditAnnotations = [] } = spec;
  const errors = validatePolicy(spec, old && specOf(old), { mutates: false });
  if (validations.length === 0 && auditAnnotations.length === 0) {
    errors.push(
      required('spec.validations', NOTHING_TO_DO),
      required('spec.auditAnnotations', NOTHING_TO_DO),
    );
  }
  for (const [i, validation] of validations.entries()) {
    addAll(errors, validateValidation(validation, `spec.validations[${i}]`));
  }
  if (auditAnnotations.length > AUDIT_ANNOTATIONS_MAX) {
    const problem = `must not have more than ${AUDIT_ANNOTATIONS_MAX} auditAnnotations`;
    errors.push(invalid('spec.auditAnnotations', auditAnnotations, problem));
  }
  const keys = new Set<string>();
  for (const [i, annotation] of auditAnnotations.entries()) {
    const path = `spec.auditAnnotations[${i}]`;
    const { key = '' } = annotation;
    addAll(errors, validateAuditAnnotation(annotation, object.metadata.name ?? '', path));
    if (keys.has(key)) errors.push(duplicate(`${path}.key`, key));
    keys.add(key);
  }
  return errors;
}

function validateValidation(validation: Validation, path: string): FieldError[] {
  const { expression = '', message = '', messageExpression = '', reason } = validation;
  const errors: FieldError[] = [];
  if (expression.trim() === '') errors.push(required(`${path}.expression`, 'expression is not specified'));
  if (messageExpression !== '' && messageExpression.trim() === '') {
    const problem = 'must be non-empty if specified';
    errors.push(invalid(`${path}.messageExpression`, messageExpression, problem));
  }
  if (message !== '' && message.trim() === '') {
    errors.push(invalid(`${path}.message`, message, 'message must be non-empty if specified'));
  } else if (/[\n\r]/.test(message.trim())) {
    errors.push(invalid(`${path}.message`, message, 'message must not contain line breaks'));
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(notSupported(`${path}.reason`, reason, REASONS));
  }
  return errors;
}

function validateAuditAnnotation(
  { key = '', valueExpression = '' }: AuditAnnotation,
  policy: string,
  path: string,
): FieldError[] {
  const errors =
    policy === ''
      ? [invalid(`${path}.key`, key, 'requires metadata.name be non-empty')]
      : validateLabelName(`${policy}/${key}`, `${path}.key`);
  const expression = valueExpression.trim();
  if (expression === '') {
    errors.push(required(`${path}.valueExpression`, 'valueExpression is not specified'));
  } else if (byteLength(expression) > VALUE_EXPRESSION_BYTES_MAX) {
    const problem = `must not exceed ${VALUE_EXPRESSION_BYTES_MAX} bytes in length`;
    errors.push(required(`${path}.valueExpression`, problem));
  }
  return errors;
}

interface Status {
  readonly typeChecking?: {
    readonly expressionWarnings?: readonly { readonly fieldRef?: string; readonly warning?: string }[];
  };
  readonly conditions?: readonly Condition[];
}

export function validateValidatingPolicyStatus(object: KubeObject): FieldError[] {
  const { typeChecking, conditions = [] } = (object['status'] ?? {}) as Status;
  const errors: FieldError[] = [];
  for (const [i, { fieldRef = '', warning = '' }] of (typeChecking?.expressionWarnings ?? []).entries()) {
    const path = `status.typeChecking.expressionWarnings[${i}]`;
    if (warning === '') errors.push(required(`${path}.warning`));
    if (fieldRef.trim() === '') errors.push(required(`${path}.fieldRef`));
  }
  return [...errors, ...validateConditions(conditions, 'status.conditions')];
}
