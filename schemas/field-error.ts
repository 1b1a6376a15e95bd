/**
 * One thing wrong with one field, as Kubernetes names it: the cause of a 422 Status. The message holds the reason's
 * words too ("Invalid value: …"), since clients show it as it is.
 */
import { goQuote } from './go-quote.js';

export type FieldErrorReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueNotFound'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

export interface FieldError {
  readonly reason: FieldErrorReason;
  /** Path as Go prints it: `spec.containers[0].env[1].name`, `data[some.key]`. */
  readonly field: string;
  readonly message: string;
}

/** Errors of one object, at most: without an end, 3 MB of wrong items would make a million of them. */
export const FIELD_ERRORS_MAX = 10_000;
/** Characters of their messages: one that quotes a whole list may come for each of its items. */
export const FIELD_ERROR_CHARACTERS_MAX = 4 * 1024 * 1024;

class TooManyFieldErrors extends Error {}

interface Gathered {
  readonly errors: FieldError[];
  characters: number;
}

/** What the rules that run now have found. Rules are synchronous, so there is never more than one of these. */
let gathered: Gathered | undefined;

/**
 * Runs rules and gives what they found. Where that is more than an answer lists, the rules are cut short, and what they
 * had found by then is given, in that order.
 */
export function fieldErrorsOf(rules: () => readonly FieldError[]): readonly FieldError[] {
  const own: Gathered = { errors: [], characters: 0 };
  gathered = own;
  try {
    return rules();
  } catch (error) {
    if (!(error instanceof TooManyFieldErrors)) throw error;
    return own.errors;
  } finally {
    gathered = undefined;
  }
}

function found(error: FieldError): FieldError {
  if (gathered === undefined) return error;
  const { errors } = gathered;
  gathered.characters += error.message.length + error.field.length;
  errors.push(error);
  if (errors.length >= FIELD_ERRORS_MAX || gathered.characters > FIELD_ERROR_CHARACTERS_MAX) {
    throw new TooManyFieldErrors();
  }
  return error;
}

/** A value as Go's errors print it: strings quoted, objects as JSON, numbers and booleans bare, absent as null. */
export function show(value: unknown): string {
  if (typeof value === 'string') return goQuote(value);
  return value === undefined ? 'null' : JSON.stringify(value);
}

export const required = (field: string, detail = ''): FieldError =>
  found({
    reason: 'FieldValueRequired',
    field,
    message: detail === '' ? 'Required value' : `Required value: ${detail}`,
  });

export const invalid = (field: string, value: unknown, detail: string): FieldError =>
  found({
    reason: 'FieldValueInvalid',
    field,
    message: `Invalid value: ${show(value)}: ${detail}`,
  });

/** Of a value that upstream does not show. */
export const invalidUnshown = (field: string, detail: string): FieldError =>
  found({
    reason: 'FieldValueInvalid',
    field,
    message: `Invalid value: ${detail}`,
  });

/** Callers give the supported values in the order upstream prints them (sorted, for most). */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError =>
  found({
    reason: 'FieldValueNotSupported',
    field,
    message: `Unsupported value: ${show(value)}: supported values: ${supported.map(show).join(', ')}`,
  });

export const duplicate = (field: string, value: unknown): FieldError =>
  found({
    reason: 'FieldValueDuplicate',
    field,
    message: `Duplicate value: ${show(value)}`,
  });

export const forbidden = (field: string, detail: string): FieldError =>
  found({
    reason: 'FieldValueForbidden',
    field,
    message: `Forbidden: ${detail}`,
  });

/** Of a check that could not be made. */
export const internalError = (field: string, detail: string): FieldError =>
  found({
    reason: 'InternalError',
    field,
    message: `Internal error: ${detail}`,
  });

export const notFound = (field: string, value: unknown): FieldError =>
  found({
    reason: 'FieldValueNotFound',
    field,
    message: `Not found: ${show(value)}`,
  });

export const tooMany = (field: string, count: number, max: number): FieldError =>
  found({
    reason: 'FieldValueTooMany',
    field,
    message: `Too many: ${count}: must have at most ${max} items`,
  });

export const tooLong = (field: string, maxBytes: number): FieldError =>
  found({
    reason: 'FieldValueTooLong',
    field,
    message: `Too long: may not be more than ${maxBytes} bytes`,
  });
