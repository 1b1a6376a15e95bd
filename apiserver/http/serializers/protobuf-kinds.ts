/** Which kinds have a protobuf form, and what stands around their messages: the envelope in which they are sent and stored. */
import { writeMessage, written } from './protobuf-encode.js';
import { knowsMessage } from './protobuf-fields.js';
import { BYTES } from './protobuf-wire.js';
import type { WireWriter } from './protobuf-writer.js';

export const PREFIX = Buffer.from('k8s\0', 'latin1');

/** Protobuf packages by group, where they are not named after the group's first word. */
const PACKAGES: ReadonlyMap<string, string> = new Map([
  ['', 'core'],
  ['internal.apiserver.k8s.io', 'apiserverinternal'],
]);
/** Built-in groups; custom resources have no protobuf form, whatever they are called. */
const GROUPS: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apidiscovery.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);

export const isBuiltinGroup = (group: string): boolean => GROUPS.has(group);

export interface KindName {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** `core.v1.Pod`; undefined where the kind has no protobuf form. DeleteOptions, a Status and discovery are of all groups. */
export function messageOf({ group, version, kind }: KindName): string | undefined {
  if (!GROUPS.has(group)) return undefined;
  const message = `${PACKAGES.get(group) ?? group.split('.', 1)[0] ?? ''}.${version}.${kind}`;
  if (knowsMessage(message)) return message;
  const common = `meta.v1.${kind}`;
  return group === '' && version === 'v1' && knowsMessage(common) ? common : undefined;
}

/** The tag of runtime.Unknown's raw. */
const RAW = 16 + BYTES;
/** Its contentEncoding and contentType, which Go writes though they are empty. */
export const ENVELOPE_END = Buffer.from([24 + BYTES, 0, 32 + BYTES, 0]);

/** An encoder for each kind that was asked for; there are as many as messages. */
const kinds = new Map<string, ProtobufKind>();

/** Undefined where the kind has no protobuf form. */
export function protobufKind(name: KindName): ProtobufKind | undefined {
  const apiVersion = name.group === '' ? name.version : `${name.group}/${name.version}`;
  const key = `${apiVersion} ${name.kind}`;
  let found = kinds.get(key);
  if (found === undefined) {
    const message = messageOf(name);
    if (message === undefined) return undefined;
    found = new ProtobufKind(new Envelope(apiVersion, name.kind), message);
    kinds.set(key, found);
  }
  return found;
}

/**
 * What stands around a kind's messages: the four bytes `k8s\0`, then runtime.Unknown {typeMeta = 1 {apiVersion = 1, kind = 2}, raw = 2,
 * contentEncoding = 3, contentType = 4}, whose raw is the message.
 */
export class Envelope {
  /** Up to the tag of raw, which is included. */
  readonly head: Buffer;

  constructor(apiVersion: string, kind: string) {
    this.head = written((writer) => {
      writer.tag(RAW);
      const end = writer.written;
      writer.text(kind);
      writer.tag(16 + BYTES);
      writer.text(apiVersion);
      writer.tag(8 + BYTES);
      writer.length(end);
      writer.tag(8 + BYTES);
      writer.raw(PREFIX);
    });
  }

  /** Around what `content` writes, its last part first. Throws what `content` throws. */
  around(content: (writer: WireWriter) => void): Buffer {
    return written((writer) => {
      writer.raw(ENVELOPE_END);
      const end = writer.written;
      content(writer);
      writer.length(end);
      writer.raw(this.head);
    });
  }
}

export class ProtobufKind {
  constructor(
    private readonly envelope: Envelope,
    private readonly message: string,
  ) {}

  /** The object in its envelope. Throws EncodeError where a field holds what its type cannot. */
  encode(object: object): Buffer {
    return this.envelope.around((writer) => writeMessage(writer, this.message, object));
  }

  /** The message in what `encode` made; shares its memory. */
  messageIn(encoded: Buffer): Buffer {
    let start = this.envelope.head.length;
    while (encoded[start]! > 0x7f) start++;
    return encoded.subarray(start + 1, encoded.length - ENVELOPE_END.length);
  }
}
