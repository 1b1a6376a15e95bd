/** Protobuf for tests: messages written by hand, and Kubernetes' own as another library knows them. */
import protobuf from 'protobufjs';
import { facts } from '../schemas/facts.js';

export const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];

/** A field of the wire format. */
export const int = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];

/** A text, or a message. */
export const bytes = (field: number, value: string | readonly number[]): number[] => {
  const content = [...Buffer.from(value as string)];
  return [...varint(field * 8 + 2), ...varint(content.length), ...content];
};

/** As clients send objects and servers answer with them. */
export const envelope = (apiVersion: string, kind: string, raw: readonly number[]): Buffer =>
  Buffer.from([
    ...Buffer.from('k8s\0'),
    ...bytes(1, [...bytes(1, apiVersion), ...bytes(2, kind)]),
    ...bytes(2, raw),
    ...bytes(3, ''),
    ...bytes(4, ''),
  ]);

/** A field as it stands on the wire: a number, or the bytes of a text or a message. */
export interface WireField {
  readonly number: number;
  readonly value: number | Buffer;
}

/** Takes a message apart without knowing what it is. */
export function parts(message: Buffer): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = next();
    const number = Math.floor(tag / 8);
    if (tag % 8 === 0) fields.push({ number, value: next() });
    else {
      const length = next();
      fields.push({ number, value: message.subarray(at, (at += length)) });
    }
  }
  return fields;
}

/** The first field of this number; empty where there is none. */
export function part(message: Buffer, number: number): Buffer {
  const value = parts(message).find((field) => field.number === number)?.value;
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

/** Kubernetes' messages as they were recorded. */
export function recordedMessages(): protobuf.Root {
  const root = new protobuf.Root();
  const messages = facts('protobuf-fields.json') as Record<string, Record<string, [number, string]>>;
  for (const [name, fields] of Object.entries(messages)) {
    const at = name.lastIndexOf('.');
    const type = new protobuf.Type(name.slice(at + 1));
    root.define(name.slice(0, at)).add(type);
    for (const [field, [number, text]] of Object.entries(fields)) {
      const map = /^map<string, ?(.*)>$/.exec(text)?.[1];
      const [bare, rule] = text.startsWith('repeated ')
        ? [text.slice('repeated '.length), 'repeated']
        : [text, undefined];
      type.add(
        map === undefined
          ? new protobuf.Field(field, number, bare, rule)
          : new protobuf.MapField(field, number, 'string', map),
      );
    }
  }
  return root;
}
