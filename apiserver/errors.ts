/**
 * The API server's one family of errors: a Kubernetes Status, with the code, reason, details and texts that clients
 * parse. `etcdToStatus` below is the only place where the store's errors turn into these.
 */
import { FIELD_ERRORS_MAX, type FieldError } from '../schemas/field-error.js';
import { EtcdError, GrpcCode, NotSentError } from '../storage/errors.js';

export interface StatusCause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** Group and plural (or kind, for validation errors) that an error speaks of. */
export interface GroupName {
  readonly group: string;
  readonly name: string;
}

/** `deployments.apps`, `configmaps`: how messages name a resource. */
export const qualified = (resource: GroupName): string =>
  resource.group === '' ? resource.name : `${resource.name}.${resource.group}`;

export class StatusError extends Error {
  override name = 'StatusError';
  constructor(
    readonly code: number,
    readonly reason: string | undefined,
    message: string,
    readonly details?: StatusDetails,
    /** Set on the metadata of the Status (the continue token of an expired list). */
    readonly metadata: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }

  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.metadata,
      status: 'Failure',
      message: this.message,
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/** What the store answered in place of a result: a write may have been done, unless the code says otherwise. */
export class StoreStatusError extends StatusError {
  constructor({ code, reason, message, details }: StatusError) {
    super(code, reason, message, details);
  }
}

function details(resource: GroupName, name: string, more: Partial<StatusDetails> = {}): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    ...(resource.name === '' ? {} : { kind: resource.name }),
    ...more,
  };
}

export const notFound = (resource: GroupName, name: string) =>
  new StatusError(404, 'NotFound', `${qualified(resource)} "${name}" not found`, details(resource, name));

/** No such path, resource or version. */
export const noSuchResource = () =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});

export const alreadyExists = (resource: GroupName, name: string) =>
  new StatusError(
    409,
    'AlreadyExists',
    `${qualified(resource)} "${name}" already exists`,
    details(resource, name),
  );

export const conflict = (
  resource: GroupName,
  name: string,
  why = 'the object has been modified; please apply your changes to the latest version and try again',
) =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`,
    details(resource, name),
  );

export const forbidden = (resource: GroupName, name: string, why: string, causes?: readonly StatusCause[]) =>
  new StatusError(
    403,
    'Forbidden',
    `${qualified(resource)} ${name === '' ? '' : `"${name}" `}is forbidden: ${why}`,
    details(resource, name, causes === undefined ? {} : { causes }),
  );

/** A wrong object. `kind` names the kind, not the plural. */
export function invalid(kind: GroupName, name: string, found: readonly FieldError[]): StatusError {
  const errors = found.slice(0, FIELD_ERRORS_MAX);
  const causes = errors.map(({ reason, message, field }) => ({ reason, message, field }));
  const texts = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))];
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return new StatusError(
    422,
    'Invalid',
    `${qualified(kind)} "${name}" is invalid: ${text}`,
    details(kind, name, { causes }),
  );
}

export const badRequest = (message: string) => new StatusError(400, 'BadRequest', message);

export const methodNotAllowed = () =>
  new StatusError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );

export const unauthorized = () => new StatusError(401, 'Unauthorized', 'Unauthorized');

/** A list or watch from a revision that is gone. */
export const expired = (message: string, metadata?: Readonly<Record<string, unknown>>) =>
  new StatusError(410, 'Expired', message, undefined, metadata);

/** `wanted` is told as the client wrote it, which above 2^53 only a bigint can. */
export const tooLargeResourceVersion = (wanted: number | bigint, current: number) =>
  new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });

export const requestTooLarge = (message: string) => new StatusError(413, 'RequestEntityTooLarge', message);

export const timeout = (message: string, retryAfterSeconds = 0) =>
  new StatusError(504, 'Timeout', message, retryAfterSeconds > 0 ? { retryAfterSeconds } : {});

/** Certainly not done, and worth trying again soon: client-go does so by itself. Upstream's ServerTimeout. */
export const serverTimeout = (message: string, retryAfterSeconds = 1) =>
  new StatusError(500, 'ServerTimeout', message, { retryAfterSeconds });

export const tooManyRequests = (message: string, retryAfterSeconds = 1) =>
  new StatusError(429, 'TooManyRequests', message, { retryAfterSeconds });

/** Upstream answers some client mistakes with 500 and no reason; the message is all there is. */
export const internal = (message: string) => new StatusError(500, undefined, message);

export const internalError = (message: string) =>
  new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });

/** Any failure as a Status. What is not ours becomes a 500 that tells nothing of the inside. */
export function toStatusError(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof EtcdError) return new StoreStatusError(etcdToStatus(error));
  return internalError('unexpected failure; the server log has the details');
}

function etcdToStatus(error: EtcdError): StatusError {
  if (error.is('RequestTooLarge')) return requestTooLarge(error.message);
  if (error.is('Compacted')) return expired('The resourceVersion for the provided list is too old.');
  if (error.is('RequestTooManyRequests')) return tooManyRequests(error.message);
  if (error.is('NoLeader') || error instanceof NotSentError) return serverTimeout(error.message);
  if (error.code === GrpcCode.Unavailable || error.code === GrpcCode.DeadlineExceeded) {
    return timeout(error.message);
  }
  return internal(error.message);
}
