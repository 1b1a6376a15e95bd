import type Database from 'better-sqlite3';
import type { Permission } from '../server/api.js';
import { PERMISSION_TYPES } from './change.js';

/** Names are text in the order of their UTF-8 bytes. `auth` has one row: at first authentication is off. */
export const AUTH_TABLES = `
  CREATE TABLE auth (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    enabled INTEGER NOT NULL,
    revision INTEGER NOT NULL
  );
  CREATE TABLE auth_user (
    name TEXT PRIMARY KEY,
    password TEXT NOT NULL,
    no_password INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE auth_user_role (
    user TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (user, role)
  ) WITHOUT ROWID;
  CREATE TABLE auth_role (
    name TEXT PRIMARY KEY
  ) WITHOUT ROWID;
  CREATE TABLE auth_permission (
    role TEXT NOT NULL,
    key BLOB NOT NULL,
    range_end BLOB NOT NULL,
    type INTEGER NOT NULL,
    PRIMARY KEY (role, key, range_end)
  ) WITHOUT ROWID;
  INSERT INTO auth (id, enabled, revision) VALUES (0, 0, 1);
`;

export interface User {
  /** A hash; empty for a user that has none. */
  readonly password: string;
  /** Known by a certificate only. */
  readonly noPassword: boolean;
  /** In the order of their bytes. */
  readonly roles: readonly string[];
}

/** In the order of key and range_end. */
export type Permissions = readonly Permission[];

/** The rows behind auth/state.ts, which keeps all of them in memory. Written within the machine's transaction. */
export class AuthTables {
  readonly #db: Database.Database;
  readonly #save: Database.Statement;
  readonly #insertUser: Database.Statement;
  readonly #deleteUser: Database.Statement;
  readonly #insertUserRole: Database.Statement;
  readonly #deleteUserRoles: Database.Statement;
  readonly #insertRole: Database.Statement;
  readonly #deleteRole: Database.Statement;
  readonly #insertPermission: Database.Statement;
  readonly #deletePermissions: Database.Statement;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#save = db.prepare('UPDATE auth SET enabled = ?, revision = ?');
    this.#insertUser = db.prepare(
      'INSERT OR REPLACE INTO auth_user (name, password, no_password) VALUES (?, ?, ?)',
    );
    this.#deleteUser = db.prepare('DELETE FROM auth_user WHERE name = ?');
    this.#insertUserRole = db.prepare('INSERT INTO auth_user_role (user, role) VALUES (?, ?)');
    this.#deleteUserRoles = db.prepare('DELETE FROM auth_user_role WHERE user = ?');
    this.#insertRole = db.prepare('INSERT OR IGNORE INTO auth_role (name) VALUES (?)');
    this.#deleteRole = db.prepare('DELETE FROM auth_role WHERE name = ?');
    this.#insertPermission = db.prepare(
      'INSERT INTO auth_permission (role, key, range_end, type) VALUES (?, ?, ?, ?)',
    );
    this.#deletePermissions = db.prepare('DELETE FROM auth_permission WHERE role = ?');
  }

  load(): { readonly enabled: boolean; readonly revision: number } {
    const [enabled, revision] = this.#all<[number, number]>('SELECT enabled, revision FROM auth')[0] ?? [
      0, 1,
    ];
    return { enabled: enabled !== 0, revision };
  }

  save(enabled: boolean, revision: number): void {
    this.#save.run(enabled ? 1 : 0, revision);
  }

  users(): Map<string, User> {
    const roles = new Map<string, string[]>();
    for (const [user, role] of this.#all<[string, string]>(
      'SELECT user, role FROM auth_user_role ORDER BY 1, 2',
    )) {
      const of = roles.get(user);
      if (of === undefined) roles.set(user, [role]);
      else of.push(role);
    }
    const rows = this.#all<[string, string, number]>('SELECT name, password, no_password FROM auth_user');
    return new Map(
      rows.map(([name, password, noPassword]) => [
        name,
        { password, noPassword: noPassword !== 0, roles: roles.get(name) ?? [] },
      ]),
    );
  }

  roles(): Map<string, Permissions> {
    const roles = new Map<string, Permission[]>();
    for (const [name] of this.#all<[string]>('SELECT name FROM auth_role')) roles.set(name, []);
    const rows = this.#all<[string, Buffer, Buffer, number]>(
      'SELECT role, key, range_end, type FROM auth_permission ORDER BY role, key, range_end',
    );
    for (const [role, key, rangeEnd, number] of rows) {
      const type = PERMISSION_TYPES[number];
      if (type !== undefined) roles.get(role)?.push({ type, key, rangeEnd });
    }
    return roles;
  }

  putUser(name: string, user: User): void {
    this.#insertUser.run(name, user.password, user.noPassword ? 1 : 0);
    this.#deleteUserRoles.run(name);
    for (const role of user.roles) this.#insertUserRole.run(name, role);
  }

  deleteUser(name: string): void {
    this.#deleteUser.run(name);
    this.#deleteUserRoles.run(name);
  }

  putRole(name: string, permissions: Permissions): void {
    this.#insertRole.run(name);
    this.#deletePermissions.run(name);
    for (const { type, key, rangeEnd } of permissions) {
      this.#insertPermission.run(name, key, rangeEnd, PERMISSION_TYPES.indexOf(type));
    }
  }

  deleteRole(name: string): void {
    this.#deleteRole.run(name);
    this.#deletePermissions.run(name);
  }

  #all<Row>(sql: string): Row[] {
    return this.#db.prepare(sql).raw().all() as Row[];
  }
}
