/** Runs controllers while this member is the one to run them. */
import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ResourceTable } from '../registry/types.js';
import type { Controller } from './controller.js';

/**
 * Says when to run: calls `lead` each time this member becomes the leader, with a signal that aborts when it no longer
 * is, and resolves once `stop` has aborted and the last call has ended.
 */
export type Leadership = (lead: (signal: AbortSignal) => Promise<void>, stop: AbortSignal) => Promise<void>;

/** Of a server that is alone on its store. */
export const alwaysLeader: Leadership = (lead, stop) => lead(stop);

export interface ControllerManagerOptions {
  readonly table: ResourceTable;
  readonly logger: Logger;
  readonly controllers: readonly Controller[];
  /** Absent: this server is alone on its store. */
  readonly leadership?: Leadership;
}

export class ControllerManager {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly options: ControllerManagerOptions) {}

  start(): void {
    const { controllers, leadership = alwaysLeader } = this.options;
    if (controllers.length === 0) return;
    this.running = leadership((signal) => this.lead(signal), this.stopping.signal);
  }

  /** Resolves when no controller writes any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async lead(signal: AbortSignal): Promise<void> {
    const { controllers } = this.options;
    // Every watch of every controller hears of the end: Node suspects a leak above ten.
    setMaxListeners(0, signal);
    const running: Promise<void>[] = [];
    for (const controller of controllers) {
      running.push(this.run(controller, signal));
      // A server that has just started has somebody waiting for its first answer.
      await nextTurn();
      if (signal.aborted) break;
    }
    await Promise.all(running);
  }

  private async run(controller: Controller, signal: AbortSignal): Promise<void> {
    const { table, leadership } = this.options;
    const logger = this.options.logger.child({ controller: controller.name });
    try {
      await controller.run({ table, logger, signal, isShared: leadership !== undefined });
    } catch (error) {
      logger.error({ err: error }, 'the controller has ended');
    }
  }
}
