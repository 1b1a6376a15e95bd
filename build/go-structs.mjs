/**
 * Reads the structs of a Go program out of its executable: Go keeps each type's fields with their tags in it for
 * reflection, and of what protobuf and JSON need to know nothing else says which fields are pointers. For 64-bit ELF files
 * that are loaded where they were linked, which kubectl's and helm's are.
 */
import { readFileSync } from 'node:fs';

/** Of Go's internal/abi. */
const KIND = { interface: 20, map: 21, pointer: 22, slice: 23, struct: 25 };
const KIND_MASK = 31;
const UNCOMMON = 1;
const EXTRA_STAR = 2;
const HAS_TAG = 2;
/** Bytes of a type's description that all kinds have. */
const TYPE_BYTES = 48;
const STRUCT_BYTES = 80;
const FIELD_BYTES = 24;

/**
 * All structs with fields that have a protobuf tag, by `import/path.Name`. Of each field the number in protobuf, the JSON
 * tag, and whether Go can tell that it is not set: pointers, slices and maps.
 *
 * @typedef {{ number: number, json: string | undefined, optional: boolean }} GoField
 * @returns {Map<string, GoField[]>}
 */
export function goStructs(path) {
  const program = new Program(readFileSync(path));
  const structs = new Map();
  for (const address of program.types()) {
    const { kind, name, importPath } = program.type(address);
    if (kind !== KIND.struct || importPath === '') continue;
    const fields = program.fields(address).flatMap(({ tag, type }) => {
      const number = Number(/protobuf:"[^",]*,(\d+)/.exec(tag)?.[1]);
      if (Number.isNaN(number)) return [];
      const { kind } = program.type(type);
      const optional = [KIND.pointer, KIND.slice, KIND.map, KIND.interface].includes(kind);
      return [{ number, json: /json:"([^"]*)"/.exec(tag)?.[1], optional }];
    });
    if (fields.length > 0) structs.set(`${importPath}.${name.slice(name.lastIndexOf('.') + 1)}`, fields);
  }
  return structs;
}

class Program {
  #bytes;
  #sections = new Map();
  /** Where types are in memory; what describes a type counts from here. */
  #base;

  constructor(bytes) {
    this.#bytes = bytes;
    const table = Number(bytes.readBigUInt64LE(40));
    const section = (index) => {
      const at = table + index * 64;
      const number = (offset) => Number(bytes.readBigUInt64LE(at + offset));
      return { name: bytes.readUInt32LE(at), address: number(16), offset: number(24), size: number(32) };
    };
    const names = section(bytes.readUInt16LE(62)).offset;
    for (let index = 0; index < bytes.readUInt16LE(60); index++) {
      const { name, ...place } = section(index);
      this.#sections.set(bytes.toString('latin1', names + name, bytes.indexOf(0, names + name)), place);
    }
    this.#base = this.#sections.get('.rodata').address;
  }

  /** Addresses of all types that those in the table of types are made of. */
  types() {
    const { offset, size } = this.#sections.get('.typelink');
    const found = new Set();
    const pending = [];
    for (let at = offset; at < offset + size; at += 4) pending.push(this.#base + this.#bytes.readInt32LE(at));
    while (pending.length > 0) {
      const address = pending.pop();
      if (found.has(address)) continue;
      found.add(address);
      const { kind } = this.type(address);
      if (kind === KIND.struct) pending.push(...this.fields(address).map(({ type }) => type));
      if (kind === KIND.pointer || kind === KIND.slice) pending.push(this.#pointer(address + TYPE_BYTES));
      if (kind === KIND.map) pending.push(this.#pointer(address + TYPE_BYTES + 8));
    }
    return found;
  }

  type(address) {
    const at = this.#offset(address);
    const flags = this.#bytes[at + 20];
    const kind = this.#bytes[at + 23] & KIND_MASK;
    const text = this.#name(this.#base + this.#bytes.readInt32LE(at + 40)).text;
    const name = flags & EXTRA_STAR ? text.slice(1) : text;
    let importPath = '';
    if (kind === KIND.struct && flags & UNCOMMON) {
      const path = this.#bytes.readInt32LE(at + STRUCT_BYTES);
      if (path !== 0) importPath = this.#name(this.#base + path).text;
    }
    return { kind, name, importPath };
  }

  fields(address) {
    const first = this.#pointer(address + TYPE_BYTES + 8);
    const count = this.#pointer(address + TYPE_BYTES + 16);
    return Array.from({ length: count }, (_, index) => {
      const at = first + index * FIELD_BYTES;
      return { tag: this.#name(this.#pointer(at)).tag, type: this.#pointer(at + 8) };
    });
  }

  #name(address) {
    let at = this.#offset(address) + 1;
    const text = () => {
      let length = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = this.#bytes[at++];
        length |= (byte & 127) << shift;
        if (byte < 128) break;
      }
      at += length;
      return this.#bytes.toString('utf8', at - length, at);
    };
    const hasTag = this.#bytes[at - 1] & HAS_TAG;
    return { text: text(), tag: hasTag ? text() : '' };
  }

  #pointer(address) {
    return Number(this.#bytes.readBigUInt64LE(this.#offset(address)));
  }

  #offset(address) {
    const { address: start, offset } = this.#sections.get('.rodata');
    return address - start + offset;
  }
}
