/** One object at one revision: its JSON, ready to be sent, and on demand the object itself. */
import { decodeObject } from '../../schemas/decode.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { apiVersionOf, canonicalObject, identityEnd } from './canonical.js';
import type { Forgetful, ItemPools } from './decoded-pool.js';
import { namespaceOf } from './keys.js';
import type { Slab } from './slab.js';
import type { ObjectEncoder, StoredObject, WatchEvent } from './types.js';

export class StoredItem implements StoredObject, Forgetful {
  private decoded: KubeObject | undefined;
  private encoded: EncodedForm | undefined;
  private addedEvent: WatchEvent | undefined;

  constructor(
    private readonly format: ItemFormat,
    readonly key: string,
    readonly revision: number,
    /** Invariant: the byte behind it in its memory is its own, too, and a newline. */
    readonly json: Buffer,
    /** Offset of `,"resourceVersion":"…"` in `json`. */
    readonly versionAt: number,
  ) {}

  get line(): Buffer {
    const { buffer, byteOffset, length } = this.json;
    return Buffer.from(buffer, byteOffset, length + 1);
  }

  get namespace(): string {
    return namespaceOf(this.key);
  }

  get name(): string {
    return this.key.slice(this.key.indexOf('/') + 1);
  }

  get headerLength(): number {
    return this.format.headerLength;
  }

  get heldBytes(): number {
    return this.json.length;
  }

  get object(): KubeObject {
    if (this.decoded !== undefined) return this.decoded;
    const object = this.parsed();
    this.decoded = object;
    // One that is larger than all that may be held is forgotten at once.
    this.format.pools.decoded.add(this);
    return object;
  }

  private parsed(): KubeObject {
    return JSON.parse(this.json.toString()) as KubeObject;
  }

  /** Who asks for this does not look into the object, so it is not held decoded for it. */
  encodedBy(encoder: ObjectEncoder, keep: boolean): Buffer {
    if (this.encoded !== undefined) return this.encoded.bytes;
    const bytes = encoder.encode(this.decoded ?? this.parsed());
    if (keep) {
      this.encoded = new EncodedForm(bytes, this);
      this.format.pools.encoded.add(this.encoded);
    }
    return bytes;
  }

  forgetEncoded(): void {
    this.encoded = undefined;
  }

  /** Takes the object that was written as the decoded form, which saves decoding what was just encoded. */
  adopt(object: KubeObject): void {
    if (this.decoded !== undefined) return;
    this.decoded = object;
    this.format.pools.decoded.add(this);
  }

  forget(): void {
    this.decoded = undefined;
  }

  /** One event for all watchers, so that what is sent for it is made once. */
  get added(): WatchEvent {
    return (this.addedEvent ??= { type: 'ADDED', item: this });
  }

  /** Length of what is shown without the resourceVersion, in bytes. */
  get shownBytes(): number {
    return this.json.length - versionText(this.revision).length;
  }

  /** Whether another state of the object, as it would be shown, is this one. */
  holds(shown: Buffer): boolean {
    if (shown.length !== this.shownBytes) return false;
    const { json, versionAt: at } = this;
    const behind = json.length - (shown.length - at);
    return (
      shown.compare(json, 0, at, 0, at) === 0 &&
      shown.compare(json, behind, json.length, at, shown.length) === 0
    );
  }

  /** The same state under another resourceVersion: what a deletion sends. */
  at(revision: number): StoredItem {
    const { json, versionAt: at } = this;
    const behind = at + versionText(this.revision).length;
    const text = versionText(revision);
    const copy = beforeNewline(Buffer.allocUnsafe(json.length - (behind - at) + text.length + 1));
    json.copy(copy, 0, 0, at);
    copy.write(text, at, 'latin1');
    json.copy(copy, at + text.length, behind);
    return new StoredItem(this.format, this.key, revision, copy, at);
  }
}

class EncodedForm implements Forgetful {
  constructor(
    readonly bytes: Buffer,
    private readonly item: StoredItem,
  ) {}

  /** With the state of the object that it may keep alive. */
  get heldBytes(): number {
    return this.bytes.length + this.item.json.length;
  }

  forget(): void {
    this.item.forgetEncoded();
  }
}

/** Revision 0 stands for an object that was never stored and has no resourceVersion. */
const versionText = (revision: number): string => (revision === 0 ? '' : `,"resourceVersion":"${revision}"`);

/** Turns a value in a form of its own (protobuf of a real cluster) into an object; undefined: not that form. */
export type ValueDecoder = (value: Uint8Array) => KubeObject | undefined;

const newline = 0x0a;

/** All of it but the last byte, which becomes a newline. */
function beforeNewline(memory: Buffer): Buffer {
  const end = memory.length - 1;
  memory[end] = newline;
  return memory.subarray(0, end);
}

/** How objects of one resource are stored and sent. */
export class ItemFormat {
  /** Length of `{"kind":…,"apiVersion":…,`. */
  readonly headerLength: number;
  private readonly header: Buffer;

  constructor(
    readonly definition: ResourceDefinition,
    readonly pools: ItemPools,
    private readonly slab: Slab,
    private readonly decodeForeign: ValueDecoder = () => undefined,
  ) {
    const types = `{"kind":"${definition.kind}","apiVersion":"${apiVersionOf(definition)}",`;
    this.headerLength = types.length;
    this.header = Buffer.from(`${types}"metadata":{"name":"`);
  }

  /** The object as it is shown, without a resourceVersion: what `StoredItem.holds` compares with. */
  toShown(object: KubeObject): Buffer {
    return Buffer.from(JSON.stringify(canonicalObject(this.definition, object)));
  }

  /** The bytes to store. `shown`: the same object as it is shown. */
  toValue(object: KubeObject, shown = this.toShown(object)): Buffer {
    return shown;
  }

  /**
   * From the bytes of the store. `kept`: the item stays in memory for long. Throws SyntaxError when the value is no object.
   */
  fromValue(key: string, value: Uint8Array, revision: number, kept = false): StoredItem {
    return this.fromShown(key, value, revision, kept);
  }

  /** From the form in which objects are shown, without the resourceVersion. */
  protected fromShown(key: string, value: Uint8Array, revision: number, kept = false): StoredItem {
    let bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length);
    let at = identityEnd(bytes, this.header);
    if (at < 0) {
      bytes = this.normalise(key, bytes);
      at = identityEnd(bytes, this.header);
    }
    const length = bytes[bytes.length - 1] === newline ? bytes.length - 1 : bytes.length;
    const text = versionText(revision);
    const bytesWanted = length + text.length + 1;
    const json = beforeNewline(kept ? this.slab.take(bytesWanted) : Buffer.allocUnsafe(bytesWanted));
    bytes.copy(json, 0, 0, at);
    json.write(text, at, 'latin1');
    bytes.copy(json, at + text.length, at, length);
    return new StoredItem(this, key, revision, json, at);
  }

  /** An object that is not in the store, such as the answer of a dry run; without a resourceVersion when that is 0. */
  fromObject(key: string, object: KubeObject, revision = 0): StoredItem {
    return this.fromShown(key, this.toShown(object), revision);
  }

  /** What has no name: answers of reviews and bookmarks. `fields`: all but kind and apiVersion, as they are sent. */
  unnamed(fields: Readonly<Record<string, unknown>>, revision: number): StoredItem {
    const { kind } = this.definition;
    const text = JSON.stringify({ kind, apiVersion: apiVersionOf(this.definition), ...fields });
    const json = beforeNewline(Buffer.from(`${text}\n`));
    return new StoredItem(this, '', revision, json, json.length);
  }

  /** Without the zero values that Go holds, and writes in protobuf, but does not print. */
  private printed(foreign: KubeObject): KubeObject {
    const decoded = decodeObject(this.definition, foreign);
    return 'object' in decoded ? decoded.object : foreign;
  }

  /** A value that somebody else wrote, in our form. */
  private normalise(key: string, value: Buffer): Buffer {
    const foreign = this.decodeForeign(value);
    const stored =
      foreign === undefined ? (JSON.parse(value.toString()) as KubeObject) : this.printed(foreign);
    if (typeof stored !== 'object' || stored === null) throw new SyntaxError('the stored value is no object');
    const object = this.definition.fromForeign?.(stored) ?? stored;
    const namespace = namespaceOf(key);
    const name = key.slice(key.indexOf('/') + 1);
    return this.toShown({
      ...object,
      metadata: { ...object.metadata, name, ...(namespace === '' ? {} : { namespace }) },
    });
  }
}
