/**
 * Protobuf bodies: typed Go clients and kubectl send nothing else for built-in kinds, and take answers in it where they can
 * (protobuf-kinds.ts says for which kinds, and how they are wrapped).
 */
import type { KubeObject } from '../../../schemas/definition.js';
import { badRequest } from '../../errors.js';
import { NestingError } from './duplicates.js';
import { decodeMessage } from './protobuf-decode.js';
import { messageOf, PREFIX } from './protobuf-kinds.js';
import { BYTES, fieldOf, WireError, WireReader, wireTypeOf } from './protobuf-wire.js';
import type { Decoded, Serializer } from './serializer.js';
import { cannotBeHandled, type DecodeHint, unrecognized, withTypeMeta } from './type-meta.js';

export const protobufType = 'application/vnd.kubernetes.protobuf';

interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Buffer;
}

export const protobufSerializer: Serializer = {
  mediaTypes: [protobufType],

  decode(body: Buffer, hint: DecodeHint): Decoded {
    const { raw, apiVersion, kind } = envelopeOf(body, hint);
    const typeMeta = withTypeMeta({ apiVersion, kind }, hint, body);
    const message = messageOf(hint);
    if (message === undefined) throw badRequest(`${hint.kind} has no protobuf form here; send JSON`);
    try {
      return { object: { ...decodeMessage(raw, message), ...typeMeta }, strictErrors: [] };
    } catch (error) {
      const { message: problem } = error as Error;
      if (!isBroken(error)) throw error;
      throw cannotBeHandled(hint, hint.kind, hint.version, problem);
    }
  },
};

/** Whether the bytes are what is wrong: with their protobuf, or with the JSON in it. */
const isBroken = (error: unknown): boolean =>
  error instanceof WireError || error instanceof SyntaxError || error instanceof NestingError;

/**
 * A value as a real kube-apiserver keeps it in etcd; undefined when it is not in this form. Throws SyntaxError when it
 * is and cannot be read.
 */
export function decodeStoredProtobuf(value: Uint8Array): KubeObject | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (!bytes.subarray(0, PREFIX.length).equals(PREFIX)) return undefined;
  try {
    const { raw, apiVersion, kind } = readEnvelope(bytes);
    const slash = apiVersion.indexOf('/');
    const group = apiVersion.slice(0, Math.max(slash, 0));
    const message = messageOf({ group, version: apiVersion.slice(slash + 1), kind });
    if (message === undefined) throw new SyntaxError(`no protobuf form of ${apiVersion} ${kind} is known`);
    return { ...decodeMessage(raw, message), apiVersion, kind } as KubeObject;
  } catch (error) {
    throw isBroken(error) ? new SyntaxError((error as Error).message) : error;
  }
}

function envelopeOf(body: Buffer, hint: DecodeHint): Envelope {
  if (!body.subarray(0, PREFIX.length).equals(PREFIX)) {
    const problem =
      body.length === 0
        ? 'empty data'
        : 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]';
    throw unrecognized(hint, problem, body);
  }
  if (body.length === PREFIX.length) throw unrecognized(hint, 'empty body', body);
  try {
    return readEnvelope(body);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw unrecognized(hint, error.message, body);
  }
}

/** Throws WireError. */
function readEnvelope(bytes: Buffer): Envelope {
  const unknown = bytesFields(bytes.subarray(PREFIX.length));
  const typeMeta = bytesFields(unknown.get(1) ?? Buffer.alloc(0));
  return {
    apiVersion: typeMeta.get(1)?.toString('utf8') ?? '',
    kind: typeMeta.get(2)?.toString('utf8') ?? '',
    raw: unknown.get(2) ?? Buffer.alloc(0),
  };
}

function bytesFields(bytes: Buffer): Map<number, Buffer> {
  const fields = new Map<number, Buffer>();
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const tag = reader.tag();
    if (wireTypeOf(tag) === BYTES) fields.set(fieldOf(tag), reader.raw());
    else reader.skip(tag);
  }
  return fields;
}
