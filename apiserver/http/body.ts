/** Decoding by media type: from the bytes of a request to an object of the kind that its path names. */
import { goQuote } from '../../schemas/go-quote.js';
import type * as z from 'zod';
import { addAll } from '../../schemas/add-all.js';
import { type Decoded as DecodedSchema, decodeObject, decodeSchema } from '../../schemas/decode.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { deleteOptions } from '../../schemas/meta/v1.js';
import { badRequest, StatusError } from '../errors.js';
import type { ResourceTable } from '../registry/types.js';
import type { Exchange } from './exchange.js';
import { mayOmitContentType } from './security.js';
import { type MarkedObject, unmarked } from './serializers/json-numbers.js';
import {
  cannotBeHandled,
  type DecodeHint,
  jsonSerializer,
  protobufSerializer,
  type Serializer,
  warningsOf,
  yamlSerializer,
} from './serializers/index.js';
import {
  checkDeleteOptions,
  type DeleteOptionsBody,
  type FieldValidation,
  type ParsedDeleteOptions,
  wrongDeleteOptions,
} from './write-options.js';

const serializers: ReadonlyMap<string, Serializer> = new Map(
  [jsonSerializer, yamlSerializer, protobufSerializer].flatMap((serializer) =>
    serializer.mediaTypes.map((type) => [type, serializer] as const),
  ),
);

const unsupported = () =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  );

/** The media type of the body, without parameters, lower case; '' where none is given. */
export function contentType(exchange: Exchange): string {
  const header = exchange.request.headers['content-type'] ?? '';
  const end = header.indexOf(';');
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase();
}

/** Never guesses: what is not named is 415, and nothing named is JSON only where no browser is in play. */
function serializerOf(exchange: Exchange): Serializer {
  const type = contentType(exchange);
  if (type === '' && mayOmitContentType(exchange.request.headers)) return jsonSerializer;
  const serializer = serializers.get(type);
  if (serializer === undefined) throw unsupported();
  return serializer;
}

/** A creation looks at the media type of its body before its options, an update after them. Throws StatusError 415. */
export const mustBeReadable = (exchange: Exchange): void => void serializerOf(exchange);

/** What a body is expected to be: an object of a resource, or of a subresource's own kind. */
export interface Expected {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  decode(value: unknown): DecodedSchema;
}

export const expectedOf = (definition: ResourceDefinition): Expected => ({
  group: definition.group,
  version: definition.version,
  kind: definition.kind,
  decode: (value) => decodeObject(definition, value),
});

export const expectedOfSchema = (
  kind: { readonly group: string; readonly version: string; readonly kind: string },
  schema: () => z.ZodType,
): Expected => ({ ...kind, decode: (value) => decodeSchema<KubeObject>(schema(), value) });

/**
 * Gives a function that decodes the body: anew with each call, since who writes an object may change it. The first call
 * adds the warnings. Throws StatusError 415, and what it gives StatusError 400.
 */
export function bodyDecoder(
  exchange: Exchange,
  body: Buffer,
  expected: Expected,
  fieldValidation: FieldValidation,
  table: ResourceTable,
): () => KubeObject {
  const serializer = serializerOf(exchange);
  const hint = hintOf(expected, fieldValidation, table);
  const decode = (warnings: string[] | undefined): KubeObject => {
    const decoded = serializer.decode(body, hint);
    const { strictErrors } = decoded;
    return checkFields(decodeFields(decoded, expected), { hint, strictErrors, fieldValidation, warnings });
  };
  let warnings: string[] | undefined = exchange.warnings;
  return () => {
    const object = decode(warnings);
    warnings = undefined;
    return object;
  };
}

function hintOf(expected: Expected, fieldValidation: FieldValidation, table: ResourceTable): DecodeHint {
  const { group, version, kind } = expected;
  return {
    group,
    version,
    kind,
    strict: fieldValidation !== 'Ignore',
    isRegistered: (group, version, kind) =>
      table
        .all()
        .some(
          ({ definition }) =>
            definition.kind === kind && definition.group === group && definition.version === version,
        ),
  };
}

/** Numbers that are no integers to Go are refused where it expects one, and named as they were written. */
export function decodeFields(
  { object, marked }: { readonly object: unknown; readonly marked?: MarkedObject | undefined },
  expected: Expected,
): DecodedSchema {
  const decoded = expected.decode(object);
  if (marked === undefined) return decoded;
  const strictly = expected.decode(marked.object);
  return 'typeError' in strictly ? { typeError: unmarked(strictly.typeError, marked.written) } : decoded;
}

interface FieldCheck {
  readonly hint: DecodeHint;
  readonly strictErrors: readonly string[];
  readonly fieldValidation: FieldValidation;
  /** Where to put warnings; undefined where they have been given before. */
  readonly warnings: string[] | undefined;
}

function checkFields(
  decoded: DecodedSchema,
  { hint, strictErrors, fieldValidation, warnings }: FieldCheck,
): KubeObject {
  if ('typeError' in decoded) throw cannotBeHandled(hint, hint.kind, hint.version, decoded.typeError);
  const unknown = decoded.unknownFields.map((field) => `unknown field ${goQuote(field)}`);
  if (fieldValidation === 'Strict' && strictErrors.length + unknown.length > 0) {
    const problem = `strict decoding error: ${[...strictErrors, ...unknown].join(', ')}`;
    throw cannotBeHandled(hint, hint.kind, hint.version, problem);
  }
  if (fieldValidation === 'Warn' && warnings !== undefined)
    addAll(warnings, warningsOf(strictErrors), unknown);
  return decoded.object;
}

const deleteOptionsHint: DecodeHint = { group: '', version: 'v1', kind: 'DeleteOptions', strict: false };

/** DeleteOptions of a body, of any group and version. Throws StatusError 400, 415 or 422. */
export function deleteOptionsOfBody(exchange: Exchange, body: Buffer): ParsedDeleteOptions {
  const serializer = serializerOf(exchange);
  let object: unknown;
  try {
    ({ object } = serializer.decode(body, deleteOptionsHint));
  } catch (error) {
    throw bareProblem(error);
  }
  const decoded = decodeSchema<DeleteOptionsBody & { kind?: string }>(deleteOptions(), object);
  if ('typeError' in decoded) throw badRequest(decoded.typeError);
  if (decoded.object.kind !== undefined && decoded.object.kind !== 'DeleteOptions')
    throw wrongDeleteOptions();
  return checkDeleteOptions(decoded.object);
}

/** Upstream does not wrap the problems of these options in a sentence on the object, as it does for objects. */
function bareProblem(error: unknown): unknown {
  if (!(error instanceof StatusError)) return error;
  const wrapped = /^the object provided is unrecognized \(must be of type DeleteOptions\): (.*) \([^)]*\)$/s;
  const problem = wrapped.exec(error.message)?.[1];
  return problem === undefined ? error : badRequest(problem);
}
