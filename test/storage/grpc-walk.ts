/** Walks the declarations of the v3 API, for tests that compare them with another source of the same. */
import type { EnumType, Field, MessageType, Variant } from '../../storage/grpc/codec/message.js';
import { etcdServices } from '../../storage/grpc/services.js';

export interface PlainField {
  readonly protoName: string;
  readonly number: number;
  /** Of a scalar protobuf's name for it, else the full name of what it refers to. */
  readonly type: string;
  readonly repeated: boolean;
  readonly oneof: string | undefined;
}

const SCALARS: Readonly<Record<string, string>> = { int64Id: 'int64', uint64Id: 'uint64' };

function plainType(type: Field['type']): string {
  if (type.kind === 'message') return type.message().name;
  return type.kind === 'enum' ? type.enum.name : (SCALARS[type.scalar] ?? type.scalar);
}

const ofField = ({ protoName, number, type, repeated, oneof }: Field): PlainField => ({
  protoName,
  number,
  type: plainType(type),
  repeated,
  oneof,
});
const ofVariant = ({ protoName, number, message, oneof }: Variant): PlainField => ({
  protoName,
  number,
  type: message.name,
  repeated: false,
  oneof,
});

/** The message whose fields are the wire's. */
export function plainOf(type: MessageType<unknown>): MessageType<unknown> {
  return type.shape.kind === 'mapped' ? plainOf(type.shape.mapping.plain) : type;
}

export function fieldsOf(type: MessageType<unknown>): readonly PlainField[] {
  const { shape } = plainOf(type);
  if (shape.kind === 'fields') return shape.fields.map(ofField);
  return shape.kind === 'union' ? shape.variants.map(ofVariant) : [];
}

export interface Declarations {
  /** Every declaration; several may be of one name, and then have the same fields. */
  readonly messages: readonly MessageType<unknown>[];
  readonly enums: ReadonlyMap<string, EnumType>;
}

/** Whatever the services refer to. */
export function declarations(): Declarations {
  const messages = new Set<MessageType<unknown>>();
  const enums = new Map<string, EnumType>();
  const visit = (type: MessageType<unknown>): void => {
    if (messages.has(type)) return;
    messages.add(type);
    const { shape } = type;
    if (shape.kind === 'mapped') visit(shape.mapping.plain);
    else if (shape.kind === 'union') for (const { message } of shape.variants) visit(message);
    else
      for (const { type } of shape.fields) {
        if (type.kind === 'message') visit(type.message());
        else if (type.kind === 'enum') enums.set(type.enum.name, type.enum);
      }
  };
  for (const service of etcdServices) {
    for (const { request, response } of Object.values(service)) {
      visit(request as MessageType<unknown>);
      visit(response as MessageType<unknown>);
    }
  }
  return { messages: [...messages], enums };
}
