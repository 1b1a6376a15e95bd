/** The words in which fields are declared. */
import { invariant } from '../../../raft/invariant.js';
import type { EnumType, FieldDefinition, FieldType, MessageType, Presence, ScalarType } from './message.js';

type Definition<V, P extends Presence = 'default'> = FieldDefinition<V, P>;

function field<V>(type: FieldType, number: number, protoName: string | undefined): Definition<V> {
  return {
    number,
    protoName,
    type,
    repeated: false,
    presence: 'default',
    shared: false,
    oneof: undefined,
  };
}

const scalar =
  <V>(scalar: ScalarType) =>
  (number: number, protoName?: string): Definition<V> =>
    field({ kind: 'scalar', scalar }, number, protoName);

export const bytes = scalar<Uint8Array>('bytes');
export const string = scalar<string>('string');
export const bool = scalar<boolean>('bool');
export const uint32 = scalar<number>('uint32');
/** Revisions, counts, sizes: beyond ±(2^53 − 1) they saturate when read. */
export const int64 = scalar<number>('int64');
export const uint64 = scalar<number>('uint64');
/** Of leases. */
export const int64Id = scalar<bigint>('int64Id');
/** Of members and clusters. */
export const uint64Id = scalar<bigint>('uint64Id');

/** `V`: the names in our messages, in the order of their numbers from 0; protobuf's name is in capitals unless given. */
export function enumType<V extends string>(
  name: string,
  values: readonly (V | readonly [V, string])[],
  { open = false } = {},
): EnumType & { readonly value?: V } {
  const pairs = values.map((value) =>
    typeof value === 'string' ? ([value, value.toUpperCase()] as const) : value,
  );
  return {
    name,
    protoNames: new Map(pairs),
    numbers: new Map(pairs.map(([value], index) => [value, index])),
    byNumber: new Map(pairs.map(([value], index) => [index, value])),
    open,
  };
}

export function oneOf<V extends string>(
  type: EnumType & { readonly value?: V },
  number: number,
  protoName?: string,
): Definition<V> {
  return field({ kind: 'enum', enum: type }, number, protoName);
}

/** A function where the message is declared later. */
export function message<T>(
  type: MessageType<T> | (() => MessageType<T>),
  number: number,
  protoName?: string,
): Definition<T> {
  const get = (typeof type === 'function' ? type : () => type) as () => MessageType<unknown>;
  return field({ kind: 'message', message: get }, number, protoName);
}

export function list<V>(item: Definition<V>): Definition<readonly V[]> {
  return { ...(item as Definition<never>), repeated: true };
}

/** A list of messages that many answers hold: it is encoded once, as long as it is the same array. */
export function sharedList<V>(item: Definition<V>): Definition<readonly V[]> {
  invariant(item.type.kind === 'message', 'a shared list is one of messages');
  return { ...list(item), shared: true };
}

/** The property is left out where the message does not have the field. */
export function optional<V>(inner: Definition<V>): Definition<V, 'optional'> {
  return { ...inner, presence: 'optional' };
}

/** Protobuf's name of the oneof that an optional field is in. Of several, all that were sent are there. */
export function inOneof<V>(oneof: string, inner: Definition<V>): Definition<V, 'optional'> {
  return { ...optional(inner), oneof };
}
