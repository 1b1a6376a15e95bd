import type Database from 'better-sqlite3';
import { ALARM_TYPES, type Command } from '../command.js';
import { EtcdError } from '../errors.js';
import type { AlarmMember, AlarmRequest, AlarmType } from '../server/api.js';
import { hasPuts } from './txn.js';

/** The alarms that are on: few, so that they are in memory too. They are part of the replicated state. */
export class AlarmTable {
  readonly #insert: Database.Statement;
  readonly #delete: Database.Statement;
  #active: readonly AlarmMember[];

  constructor(db: Database.Database) {
    this.#insert = db.prepare('INSERT INTO alarm (type, member_id) VALUES (?, ?)');
    this.#delete = db.prepare('DELETE FROM alarm WHERE type = ? AND member_id = ?');
    const all = db.prepare('SELECT type, CAST(member_id AS TEXT) FROM alarm ORDER BY type, member_id').raw();
    this.#active = (all.all() as [number, string][]).map(([type, id]) => ({
      memberId: BigInt.asUintN(64, BigInt(id)),
      alarm: ALARM_TYPES[type] ?? 'none',
    }));
  }

  get active(): readonly AlarmMember[] {
    return this.#active;
  }

  /** Whichever member it is of. */
  isOn(type: AlarmType): boolean {
    return this.#active.some(({ alarm }) => alarm === type);
  }

  /** What etcd's Alarm answers: the alarms asked for, or the one that was changed. */
  execute({ action, memberId, alarm }: AlarmRequest): readonly AlarmMember[] {
    // Neither getting nor etcd's disarming of all looks at the member.
    if (action === 'get') return alarm === 'none' ? this.#active : this.#of(alarm);
    // etcd before 3.5 took an alarm of no type.
    if (alarm === 'none') return [];
    const member: AlarmMember = { memberId, alarm };
    const isActive = this.#of(alarm).some((other) => other.memberId === memberId);
    if (action === 'activate') {
      if (!isActive) this.#activate(member);
      return [member];
    }
    if (!isActive) return [];
    this.#deactivate(member);
    return [member];
  }

  #of(type: AlarmType): readonly AlarmMember[] {
    return this.#active.filter(({ alarm }) => alarm === type);
  }

  #activate(member: AlarmMember): void {
    this.#insert.run(ALARM_TYPES.indexOf(member.alarm), BigInt.asIntN(64, member.memberId));
    this.#active = [...this.#active, member];
  }

  #deactivate({ memberId, alarm }: AlarmMember): void {
    this.#delete.run(ALARM_TYPES.indexOf(alarm), BigInt.asIntN(64, memberId));
    this.#active = this.#active.filter((other) => other.memberId !== memberId || other.alarm !== alarm);
  }
}

/** Why alarms forbid a command, if they do. With CORRUPT nothing changes any more, with NOSPACE nothing grows. */
export function forbidden(command: Command, alarms: AlarmTable): EtcdError | undefined {
  if (alarms.active.length === 0) return undefined;
  switch (command.type) {
    case 'put':
    case 'lease-grant':
    case 'txn':
      if (alarms.isOn('corrupt')) return EtcdError.of('Corrupt');
      if (!alarms.isOn('nospace')) return undefined;
      return command.type !== 'txn' || hasPuts(command.request) ? EtcdError.of('NoSpace') : undefined;
    case 'delete':
    case 'compact':
    case 'lease-revoke':
      return alarms.isOn('corrupt') ? EtcdError.of('Corrupt') : undefined;
    default:
      return undefined;
  }
}
