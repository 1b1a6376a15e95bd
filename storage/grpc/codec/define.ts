/** Makes messages of their declarations. Code is made for each at its first use. */
import { invariant } from '../../../raft/invariant.js';
import { NO_BYTES } from '../../bytes.js';
import { WireError } from '../../wire.js';
import type { Codec } from '../method.js';
import { compile, type Compiled } from './compile.js';
import { Input } from './input.js';
import type { Field, FieldDefinition, Mapping, MessageType, Presence, Variant } from './message.js';
import { dataSize, Output, uint32Size } from './output.js';

/** One for all: encoding is synchronous and calls nothing that encodes. */
const output = new Output();

/** A property that may be absent is an optional field; any other has a value. */
type Fields<T> = {
  readonly [K in keyof T]-?: undefined extends Pick<T, K>[K]
    ? FieldDefinition<Exclude<T[K], undefined>, 'optional'>
    : FieldDefinition<T[K], 'default'>;
};

export function define<T extends object>(name: string, definitions: Fields<T>): MessageType<T> {
  const fields = Object.entries<FieldDefinition<unknown, Presence>>(definitions)
    .map(([property, definition]): Field => {
      const protoName = definition.protoName ?? snakeCase(property);
      return { ...definition, property, protoName };
    })
    .sort((one, other) => one.number - other.number);
  let compiled: Compiled<T> | undefined;
  const code = () => (compiled ??= compile<T>(fields));
  return withCodec<T>({
    name,
    shape: { kind: 'fields', fields },
    measure: (message, output) => code().measure(message, output),
    write: (message, output) => code().write(message, output),
    read: (input, end) => code().read(input, end),
  });
}

interface UnionVariant<T> {
  readonly number: number;
  readonly protoName: string;
  readonly message: MessageType<T>;
}
type UnionVariants<T extends { readonly type: string }> = {
  readonly [K in Exclude<T['type'], 'empty'>]: UnionVariant<Omit<Extract<T, { readonly type: K }>, 'type'>>;
};

/**
 * A message that is nothing but a oneof. `empty`: the type that says that none was chosen; without it, that is a
 * WireError. When several come, the last one counts.
 */
export function union<T extends { readonly type: string }>(
  name: string,
  oneof: string,
  definitions: UnionVariants<T>,
  { empty }: { readonly empty?: T['type'] } = {},
): MessageType<T> {
  const variants = Object.entries<Omit<Variant, 'type' | 'oneof'>>(definitions).map(
    ([type, variant]): Variant => ({ ...variant, type, oneof }),
  );
  const byType = new Map(variants.map((variant) => [variant.type, variant]));
  const byTag = new Map(variants.map((variant) => [(variant.number << 3) | 2, variant]));
  const numbers = new Set(variants.map(({ number }) => number));
  return withCodec<T>({
    name,
    shape: { kind: 'union', variants, empty },
    measure: (message, output) => {
      const variant = byType.get(message.type);
      if (variant === undefined) return 0;
      const place = output.reserve();
      const size = variant.message.measure(message, output);
      output.setSize(place, size);
      return uint32Size(variant.number << 3) + dataSize(size);
    },
    write: (message, output) => {
      const variant = byType.get(message.type);
      if (variant === undefined) return;
      output.uint32((variant.number << 3) | 2);
      output.uint32(output.takeSize());
      variant.message.write(message, output);
    },
    read: (input, end) => {
      let chosen: object | undefined;
      while (input.position < end) {
        const tag = input.tag(end);
        const variant = byTag.get(tag);
        if (variant !== undefined) {
          const value = variant.message.read(input, input.enter(end)) as { type?: string };
          input.depth -= 1;
          value.type = variant.type;
          chosen = value;
        } else if (numbers.has(tag >>> 3)) throw new WireError(`${name}: wrong wire type`);
        else input.skip(tag, end);
      }
      if (chosen === undefined && empty === undefined) throw new WireError(`${name} is empty`);
      return (chosen ?? { type: empty }) as T;
    },
  });
}

/** A message in another form than its fields. `to` is called once for each encoding. */
export function mapped<T, Plain>(
  plain: MessageType<Plain>,
  mapping: Omit<Mapping<T, Plain>, 'plain'>,
): MessageType<T> {
  return withCodec<T>({
    name: plain.name,
    shape: { kind: 'mapped', mapping: { plain, ...mapping } },
    measure: (message, output) => {
      const form = mapping.to(message);
      output.note(form);
      return plain.measure(form, output);
    },
    write: (_message, output) => plain.write(output.takeNote() as Plain, output),
    read: (input, end) => mapping.from(plain.read(input, end)),
  });
}

function withCodec<T>(type: Omit<MessageType<T>, keyof Codec<T>>): MessageType<T> {
  return {
    ...type,
    encode: (message, reserved = 0) => {
      output.start();
      output.allocate(reserved, type.measure(message, output));
      type.write(message, output);
      return output.finish();
    },
    decode: (bytes) => {
      const input = new Input(bytes);
      const message = type.read(input, bytes.length);
      invariant(input.position === bytes.length, 'a message is read to its end');
      return message;
    },
  };
}

/** What a message is that has no fields on the wire. */
export function emptyOf<T>(type: MessageType<T>): T {
  return type.read(new Input(NO_BYTES), 0);
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
