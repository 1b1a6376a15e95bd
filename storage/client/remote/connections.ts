/** The endpoints: one is in use until it fails, then the next. */
import type { EtcdError } from '../../errors.js';
import type { Connection } from './connection.js';

export interface RemoteLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export class Connections {
  readonly #all: readonly Connection[];
  readonly #logger: RemoteLogger;
  #inUse = 0;
  /** Since one answered last. */
  readonly #failed = new Set<Connection>();
  #silence: EtcdError | undefined;

  /** At least one. */
  constructor(all: readonly Connection[], logger: RemoteLogger) {
    this.#all = all;
    this.#logger = logger;
  }

  get count(): number {
    return this.#all.length;
  }

  get current(): Connection {
    return this.#all[this.#inUse] as Connection;
  }

  /** The first failure since which nobody has answered; undefined: somebody may. */
  get silence(): EtcdError | undefined {
    return this.#silence;
  }

  answered(connection: Connection): void {
    if (this.#failed.size === 0) return;
    this.#failed.clear();
    if (this.#silence === undefined) return;
    this.#silence = undefined;
    this.#logger.info({ endpoint: connection.name }, `etcd answers at ${connection.name}`);
  }

  /** The next one is in use from now on. Those who noticed the same failure later change nothing. */
  failed(connection: Connection, error: EtcdError): void {
    this.#failed.add(connection);
    if (connection === this.current) this.#inUse = (this.#inUse + 1) % this.#all.length;
    if (this.#failed.size < this.#all.length || this.#silence !== undefined) return;
    this.#silence = error;
    const names = this.#all.map(({ name }) => name).join(', ');
    this.#logger.warn({ detail: error.message }, `no etcd answers at ${names}; will keep trying`);
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }
}
