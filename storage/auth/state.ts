import type Database from 'better-sqlite3';
import { Grants, EVERYTHING } from './grants.js';
import { AuthTables, type Permissions, type User } from './tables.js';

/** The user that must exist, and the role that may everything. */
export const ROOT = 'root';

/**
 * Users, roles and their permissions: in memory for checks, in the database's tables for good. Each generation of the
 * database has its own. Changed within the machine's transaction only.
 */
export class AuthState {
  readonly #tables: AuthTables;
  readonly #users: Map<string, User>;
  readonly #roles: Map<string, Permissions>;
  /** By user; made when first asked for, forgotten with any change. */
  readonly #grants = new Map<string, Grants>();
  #enabled: boolean;
  #revision: number;

  constructor(db: Database.Database) {
    this.#tables = new AuthTables(db);
    this.#users = this.#tables.users();
    this.#roles = this.#tables.roles();
    const { enabled, revision } = this.#tables.load();
    this.#enabled = enabled;
    this.#revision = revision;
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** 1 when nothing was ever changed. Rises with each change, not with the store's revision. */
  get revision(): number {
    return this.#revision;
  }

  user(name: string): User | undefined {
    return this.#users.get(name);
  }

  /** The permissions of a role, undefined if there is none of that name. */
  role(name: string): Permissions | undefined {
    return this.#roles.get(name);
  }

  /** In the order of their bytes. */
  userNames(): string[] {
    return inByteOrder(this.#users.keys());
  }

  roleNames(): string[] {
    return inByteOrder(this.#roles.keys());
  }

  /** What a user may do; undefined if there is no such user. */
  grants(name: string): Grants | undefined {
    const known = this.#grants.get(name);
    if (known !== undefined) return known;
    const user = this.#users.get(name);
    if (user === undefined) return undefined;
    const grants = user.roles.includes(ROOT)
      ? EVERYTHING
      : new Grants(user.roles.flatMap((role) => this.#roles.get(role) ?? []));
    this.#grants.set(name, grants);
    return grants;
  }

  /** Which is no change of users or permissions: the revision stays. */
  enable(): void {
    this.#enabled = true;
    this.#tables.save(true, this.#revision);
  }

  disable(): void {
    this.#enabled = false;
    this.#raise();
  }

  putUser(name: string, user: User): void {
    const sorted = { ...user, roles: inByteOrder(user.roles) };
    this.#users.set(name, sorted);
    this.#tables.putUser(name, sorted);
    this.#raise();
  }

  deleteUser(name: string): void {
    this.#users.delete(name);
    this.#tables.deleteUser(name);
    this.#raise();
  }

  putRole(name: string, permissions: Permissions): void {
    this.#roles.set(name, permissions);
    this.#tables.putRole(name, permissions);
    this.#raise();
  }

  /** Takes it from the users that have it, too. */
  deleteRole(name: string): void {
    this.#roles.delete(name);
    this.#tables.deleteRole(name);
    for (const [userName, user] of this.#users) {
      if (!user.roles.includes(name)) continue;
      const without = { ...user, roles: user.roles.filter((role) => role !== name) };
      this.#users.set(userName, without);
      this.#tables.putUser(userName, without);
    }
    this.#raise();
  }

  #raise(): void {
    this.#revision += 1;
    this.#grants.clear();
    this.#tables.save(this.#enabled, this.#revision);
  }
}

/** JavaScript orders strings by UTF-16 units, etcd by bytes. */
function inByteOrder(names: Iterable<string>): string[] {
  return [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
