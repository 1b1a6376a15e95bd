/** Lists of objects in JSON and YAML, in pieces. */
import type { StoredObject } from '../registry/types.js';
import { responseChunkBytes } from './limits.js';
import { contentTypes } from './negotiation.js';
import type { Body } from './respond.js';
import { yamlSerializer } from './serializers/index.js';

/** What a list has beside its items. */
export interface ListHead {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: object;
}

const comma = 0x2c;
const openBrace = 0x7b;
const tail = Buffer.from(']}\n');

/**
 * The head, the items without their kind and apiVersion, `]}` and a newline: copied once into buffers of the size in which they are
 * written.
 */
export function joinedList(listHead: ListHead, items: readonly StoredObject[]): Body {
  const head = Buffer.from(`${JSON.stringify(listHead).slice(0, -1)},"items":[`);
  let bytes = head.length + tail.length + Math.max(0, items.length - 1);
  for (const item of items) bytes += item.json.length - item.headerLength + 1;
  if (bytes > responseChunkBytes) {
    return { contentType: contentTypes.json, bytes, content: joinedPieces(head, items, bytes) };
  }
  const content = Buffer.allocUnsafe(bytes);
  let at = head.copy(content);
  for (let i = 0; i < items.length; i++) {
    if (i > 0) content[at++] = comma;
    at = copyItem(items[i]!, content, at);
  }
  tail.copy(content, at);
  return { contentType: contentTypes.json, bytes, content };
}

/** The header's last byte is the comma after it, in whose place the item's opening brace goes. */
function copyItem({ json, headerLength }: StoredObject, target: Buffer, at: number): number {
  json.copy(target, at, headerLength - 1);
  target[at] = openBrace;
  return at + json.length - headerLength + 1;
}

function* joinedPieces(head: Buffer, items: readonly StoredObject[], bytes: number): Generator<Buffer> {
  let left = bytes;
  let chunk = Buffer.allocUnsafe(responseChunkBytes);
  let at = head.copy(chunk);
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    // With the comma before it and room for the tail.
    const needed = item.json.length - item.headerLength + 2 + tail.length;
    if (at + needed > chunk.length) {
      yield chunk.subarray(0, at);
      left -= at;
      chunk = Buffer.allocUnsafe(Math.max(needed, Math.min(responseChunkBytes, left)));
      at = 0;
    }
    if (i > 0) chunk[at++] = comma;
    at = copyItem(item, chunk, at);
  }
  at += tail.copy(chunk, at);
  yield chunk.subarray(0, at);
}

/** One item at a time, so that no list is long work. */
export function* prettyList(listHead: ListHead, items: readonly StoredObject[]): Generator<Buffer> {
  const head = JSON.stringify({ ...listHead, items: [] }, null, 2);
  if (items.length === 0) {
    yield Buffer.from(head);
    return;
  }
  yield Buffer.from(head.slice(0, head.lastIndexOf('[') + 1));
  let separator = '\n    ';
  for (const { object } of items) {
    const text = JSON.stringify(withoutHeader(object), null, 2).replaceAll('\n', '\n    ');
    yield Buffer.from(`${separator}${text}`);
    separator = ',\n    ';
  }
  yield Buffer.from('\n  ]\n}');
}

export function* yamlList(
  { kind, apiVersion, metadata }: ListHead,
  items: readonly StoredObject[],
): Generator<Buffer> {
  yield Buffer.from(`apiVersion: ${apiVersion}\n${items.length === 0 ? 'items: []\n' : 'items:\n'}`);
  for (const { object } of items) {
    const text = yamlOf(Buffer.from(JSON.stringify(withoutHeader(object))))
      .toString()
      .trimEnd()
      .replaceAll('\n', '\n  ');
    // Blank lines of literal blocks stay blank.
    yield Buffer.from(`- ${text.replaceAll(/\n {2}(?=\n|$)/g, '\n')}\n`);
  }
  yield Buffer.from(`kind: ${kind}\n`);
  yield yamlOf(Buffer.from(JSON.stringify({ metadata })));
}

/** Serializers without `encode` are for bodies only; YAML's is for answers too. */
export const yamlOf = (json: Buffer): Buffer => yamlSerializer.encode?.(json) ?? json;

/** Items of a list do not repeat what the list is of. */
function withoutHeader(object: object): object {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object as Record<string, unknown>;
  return rest;
}
