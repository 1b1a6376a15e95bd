/**
 * The thread that writes the log, so that no sync runs on an event loop that serves requests. While one commit waits
 * for the disk, requests pile up in the port; all of them go into the next commit (group commit).
 */
import { parentPort, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { invariant } from '../invariant.js';
import { LogDatabase } from './database.js';
import { LogError } from './errors.js';
import type { LogOpening, LogOperation, LogRequest, LogResponse } from './messages.js';

/** Entries in one transaction, in bytes; one request more than that is not split. Bounds SQLite's memory. */
const TRANSACTION_BYTES_MAX = 4 * 2 ** 20;
/** Milliseconds between two steps of housekeeping. */
const HOUSEKEEPING_PAUSE_MS = 5;

class LogWorker {
  readonly #database: LogDatabase;
  #housekeeping: NodeJS.Timeout | undefined;
  /** Housekeeping has changed the file since it last came to an end. */
  #tidied = false;

  constructor(
    private readonly path: string,
    private readonly port: MessagePort,
  ) {
    this.#database = LogDatabase.open(path);
  }

  run(): void {
    const database = this.#database;
    this.#post({
      type: 'opened',
      bounds: database.bounds(),
      hardState: database.hardState(),
      owner: database.owner(),
    });
    this.port.on('message', (request: LogRequest) => this.#guard(() => this.#handle(request)));
    this.#scheduleHousekeeping();
  }

  /** A failed write leaves the disk in doubt: nothing is tried again, and the thread ends. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      clearTimeout(this.#housekeeping);
      giveUp(this.port, error, this.path);
    }
  }

  /** Carries out `request` and, in the same transaction, whatever else is waiting. */
  #handle(request: LogRequest): void {
    const responses: LogResponse[] = [];
    let sequence: number | undefined;
    let bytes = 0;
    for (let next: LogRequest | undefined = request; next !== undefined; next = this.#waiting()) {
      if (next.type === 'write') {
        if (sequence === undefined) this.#database.begin();
        sequence = next.sequence;
        for (const operation of next.operations) bytes += this.#execute(operation);
      } else if (next.type === 'read') {
        const frames = this.#database.read(next.from, next.through, next.maxBytes);
        responses.push({ type: 'entries', id: next.id, frames });
      } else {
        responses.push({ type: 'closed' });
        break;
      }
      if (bytes >= TRANSACTION_BYTES_MAX) break;
    }
    if (sequence !== undefined) this.#post({ type: 'synced', sequence, seconds: this.#commit() });
    this.#respond(responses, sequence !== undefined);
  }

  /** What it took, in seconds. */
  #commit(): number {
    const begun = performance.now();
    this.#database.commit();
    return (performance.now() - begun) / 1000;
  }

  /** Speaks only now that everything is on disk. */
  #respond(responses: readonly LogResponse[], written: boolean): void {
    for (const response of responses) if (response.type === 'entries') this.#post(response);
    if (responses.at(-1)?.type === 'closed') {
      this.#close();
      return;
    }
    if (written) this.#database.checkpointIfDue();
    if (this.#database.hasDeadRows) this.#scheduleHousekeeping();
  }

  #execute(operation: LogOperation): number {
    this.#database.execute(operation);
    return operation.type === 'append' ? operation.frames.byteLength : 0;
  }

  #waiting(): LogRequest | undefined {
    return receiveMessageOnPort(this.port)?.message as LogRequest | undefined;
  }

  #scheduleHousekeeping(): void {
    this.#housekeeping ??= setTimeout(() => this.#guard(() => this.#housekeep()), HOUSEKEEPING_PAUSE_MS);
  }

  #housekeep(): void {
    this.#housekeeping = undefined;
    if (this.#database.housekeep()) {
      this.#tidied = true;
      this.#database.checkpointIfDue();
      this.#scheduleHousekeeping();
    } else if (this.#tidied) {
      // What was freed leaves the file with a checkpoint only.
      this.#tidied = false;
      this.#database.checkpoint();
    }
  }

  #close(): void {
    clearTimeout(this.#housekeeping);
    this.#database.close();
    this.#post({ type: 'closed' });
    this.port.close();
  }

  #post(response: LogResponse): void {
    send(this.port, response);
  }
}

function giveUp(port: MessagePort, error: unknown, path: string): void {
  const { code, detail } = LogError.from(error, path);
  send(port, { type: 'failed', code, detail });
  port.close();
}

function send(port: MessagePort, response: LogResponse): void {
  // A rule for browser windows, whose postMessage takes an origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  port.postMessage(response);
}

const port = parentPort;
invariant(port !== null, 'the log worker runs as a worker thread only');
port.once('message', ({ path }: LogOpening) => {
  try {
    new LogWorker(path, port).run();
  } catch (error) {
    giveUp(port, error, path);
  }
});
