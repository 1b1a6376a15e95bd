import type { Permission } from '../server/api.js';
import { type ByteReader, type ByteWriter, named, numberOf } from '../wire.js';

/** What changes users, roles, permissions or tokens, in the log. Passwords are hashes (password.ts). */
export type AuthChange =
  | { readonly type: 'enable' }
  | { readonly type: 'disable' }
  | {
      readonly type: 'user-add';
      readonly name: string;
      /** A hash; empty for a user that has none. */
      readonly password: string;
      /** Known by a certificate only. */
      readonly noPassword: boolean;
    }
  | { readonly type: 'user-delete'; readonly name: string }
  | { readonly type: 'user-change-password'; readonly name: string; readonly password: string }
  | { readonly type: 'user-grant-role'; readonly name: string; readonly role: string }
  | { readonly type: 'user-revoke-role'; readonly name: string; readonly role: string }
  | { readonly type: 'role-add'; readonly name: string }
  | { readonly type: 'role-delete'; readonly name: string }
  | { readonly type: 'role-grant-permission'; readonly name: string; readonly permission: Permission }
  | {
      readonly type: 'role-revoke-permission';
      readonly name: string;
      readonly key: Uint8Array;
      readonly rangeEnd: Uint8Array;
    }
  | {
      /** Tells every member of a user's new token, whose password was right. */
      readonly type: 'authenticate';
      readonly name: string;
      /** Random; the log's index makes it whole. */
      readonly token: string;
      /** The state in which the password was right. */
      readonly authRevision: number;
    };

/** In the order of their numbers, which never change. */
const CHANGE_TYPES = [
  'enable',
  'disable',
  'user-add',
  'user-delete',
  'user-change-password',
  'user-grant-role',
  'user-revoke-role',
  'role-add',
  'role-delete',
  'role-grant-permission',
  'role-revoke-permission',
  'authenticate',
] as const satisfies readonly AuthChange['type'][];

/** In the order of their numbers, in the log and in the database. */
export const PERMISSION_TYPES = [
  'read',
  'write',
  'readwrite',
] as const satisfies readonly Permission['type'][];

export function writeText(writer: ByteWriter, text: string): void {
  writer.bytes(Buffer.from(text));
}

export function readText(reader: ByteReader): string {
  return reader.bytes().toString();
}

export function writeAuthChange(writer: ByteWriter, change: AuthChange): void {
  writer.byte(numberOf(CHANGE_TYPES, change.type));
  if (change.type === 'enable' || change.type === 'disable') return;
  writeText(writer, change.name);
  switch (change.type) {
    case 'user-add':
      writeText(writer, change.password);
      writer.byte(change.noPassword ? 1 : 0);
      break;
    case 'user-change-password':
      writeText(writer, change.password);
      break;
    case 'user-grant-role':
    case 'user-revoke-role':
      writeText(writer, change.role);
      break;
    case 'role-grant-permission':
      writer.byte(numberOf(PERMISSION_TYPES, change.permission.type));
      writer.bytes(change.permission.key);
      writer.bytes(change.permission.rangeEnd);
      break;
    case 'role-revoke-permission':
      writer.bytes(change.key);
      writer.bytes(change.rangeEnd);
      break;
    case 'authenticate':
      writeText(writer, change.token);
      writer.varint(change.authRevision);
      break;
  }
}

/** @throws WireError */
export function readAuthChange(reader: ByteReader): AuthChange {
  const type = named(CHANGE_TYPES, reader.byte());
  if (type === 'enable' || type === 'disable') return { type };
  const name = readText(reader);
  switch (type) {
    case 'user-add':
      return { type, name, password: readText(reader), noPassword: reader.byte() !== 0 };
    case 'user-change-password':
      return { type, name, password: readText(reader) };
    case 'user-grant-role':
    case 'user-revoke-role':
      return { type, name, role: readText(reader) };
    case 'role-grant-permission': {
      const permissionType = named(PERMISSION_TYPES, reader.byte());
      return {
        type,
        name,
        permission: { type: permissionType, key: reader.bytes(), rangeEnd: reader.bytes() },
      };
    }
    case 'role-revoke-permission':
      return { type, name, key: reader.bytes(), rangeEnd: reader.bytes() };
    case 'authenticate':
      return { type, name, token: readText(reader), authRevision: reader.varint() };
    default:
      return { type, name };
  }
}
