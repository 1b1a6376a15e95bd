/** How a message is declared: its fields with protobuf's names, numbers and types, as values that can be walked. */
import type { Codec } from '../method.js';
import type { Input } from './input.js';
import type { Output } from './output.js';

/** `int64` and `uint64` are numbers of JavaScript, `id` forms are bigint. */
export type ScalarType = 'bytes' | 'string' | 'bool' | 'int64' | 'uint64' | 'uint32' | 'int64Id' | 'uint64Id';

export interface EnumType {
  /** With its package, e.g. `mvccpb.Event.EventType`. */
  readonly name: string;
  /** Protobuf's names, by the names in our messages. */
  readonly protoNames: ReadonlyMap<string, string>;
  readonly numbers: ReadonlyMap<string, number>;
  readonly byNumber: ReadonlyMap<number, string>;
  /** Numbers that have no name come as their decimal text, for whoever validates; else they are a WireError. */
  readonly open: boolean;
}

export type FieldType =
  | { readonly kind: 'scalar'; readonly scalar: ScalarType }
  | { readonly kind: 'enum'; readonly enum: EnumType }
  | { readonly kind: 'message'; readonly message: () => MessageType<unknown> };

/** A field before it is part of a message. `V`: of its value, `P`: what stands for a value that is not there. */
export interface FieldDefinition<V, P extends Presence> {
  readonly number: number;
  /** Absent: the property's name in snake case. */
  readonly protoName: string | undefined;
  readonly type: FieldType;
  readonly repeated: boolean;
  readonly presence: P;
  /** Encoded lists are remembered by their identity. */
  readonly shared: boolean;
  readonly oneof: string | undefined;
  /** Only in types. */
  readonly value?: V;
}

/** `default`: the type's own default; `optional`: the property is left out. */
export type Presence = 'default' | 'optional';

export interface Field extends FieldDefinition<unknown, Presence> {
  readonly protoName: string;
  readonly property: string;
}

/** Of a message: what is encoded and decoded. It is also a Codec. */
export interface MessageType<T> extends Codec<T> {
  /** With its package, e.g. `etcdserverpb.RangeRequest`. */
  readonly name: string;
  readonly shape: Shape<T>;
  /** First pass: the bytes of the message, its sub-messages' sizes noted. */
  measure(message: T, output: Output): number;
  write(message: T, output: Output): void;
  /** From the input's position to `end`. */
  read(input: Input, end: number): T;
}

export type Shape<T> =
  | { readonly kind: 'fields'; readonly fields: readonly Field[] }
  /** A oneof whose chosen message is given flat, with the property `type` beside its own. */
  | { readonly kind: 'union'; readonly variants: readonly Variant[]; readonly empty: string | undefined }
  /** Another form of a message. */
  | { readonly kind: 'mapped'; readonly mapping: Mapping<T, unknown> };

export interface Variant {
  readonly type: string;
  readonly number: number;
  readonly protoName: string;
  readonly oneof: string;
  readonly message: MessageType<unknown>;
}

export interface Mapping<T, Plain> {
  readonly plain: MessageType<Plain>;
  /** @throws WireError */
  from(plain: Plain): T;
  to(message: T): Plain;
}
