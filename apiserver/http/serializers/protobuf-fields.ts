/** What the messages of Kubernetes' protobuf encoding are made of, read from their table when they are first needed. */
import { protobufMessages } from './protobuf-messages.js';

/**
 * How a field is written: `plain` always, zero or not; `optional` where it is set, like pointers in Go. The fields of an
 * `embedded` struct stand in the outer object in JSON, and in a message of their own here.
 */
export type FieldShape = 'plain' | 'optional' | 'list' | 'map' | 'embedded';

export interface Field {
  readonly number: number;
  /** In JSON. */
  readonly name: string;
  readonly shape: FieldShape;
  /** Of the field, or of each item or value: `string`, `int`, `bool`, `double`, `bytes` or a message. */
  readonly type: string;
}

const SHAPES: Readonly<Record<string, FieldShape>> = {
  ':': 'plain',
  '?': 'optional',
  '*': 'list',
  '%': 'map',
  '~': 'embedded',
};
const SCALARS: ReadonlySet<string> = new Set(['string', 'int', 'bool', 'double', 'bytes']);

let packages: ReadonlyMap<string, string> | undefined;
/** By package the lines of its messages by name. */
const lines = new Map<string, ReadonlyMap<string, string>>();
const descriptors = new Map<string, readonly Field[]>();

function linesOf(name: string): ReadonlyMap<string, string> {
  let known = lines.get(name);
  if (known === undefined) {
    packages ??= new Map(Object.entries(protobufMessages()));
    const text = packages.get(name)?.trim() ?? '';
    known = new Map(text.split('\n').map((line) => [line.split(' ', 1)[0] ?? '', line]));
    lines.set(name, known);
  }
  return known;
}

function lineOf(message: string): string | undefined {
  const dot = message.lastIndexOf('.');
  return linesOf(message.slice(0, dot)).get(message.slice(dot + 1));
}

/** Whether there is such a message: `core.v1.Pod`. */
export const knowsMessage = (message: string): boolean => lineOf(message) !== undefined;

/** The message's fields in the order of their numbers; none where there is no such message. */
export function fieldsOf(message: string): readonly Field[] {
  let fields = descriptors.get(message);
  if (fields === undefined) {
    const inPackage = message.slice(0, message.lastIndexOf('.'));
    const texts = lineOf(message)?.split(' ').slice(1) ?? [];
    fields = texts.map((text) => parseField(text, inPackage));
    descriptors.set(message, fields);
  }
  return fields;
}

function parseField(text: string, inPackage: string): Field {
  const [, number = '', name = '', sign = ':', type = ''] = /^(\d+)([^:?*%~]+)(.)?(.*)$/.exec(text) ?? [];
  const isNear = type !== '' && !SCALARS.has(type) && !type.includes('.');
  return {
    number: Number(number),
    name,
    shape: SHAPES[sign] ?? 'plain',
    type: type === '' ? 'string' : isNear ? `${inPackage}.${type}` : type,
  };
}
