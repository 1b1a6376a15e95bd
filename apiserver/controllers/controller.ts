/** What the manager runs. */
import type { Logger } from 'pino';
import type { ResourceTable } from '../registry/types.js';

export interface ControllerOptions {
  readonly table: ResourceTable;
  readonly logger: Logger;
  /** Other servers write to the same store, and hear later of what this one writes. */
  readonly isShared: boolean;
  /** Aborts when the controller must stop: the server stops, or another member has become the leader. */
  readonly signal: AbortSignal;
}

export interface Controller {
  /** As `--controllers` names it. */
  readonly name: string;
  /** Resolves once the signal has aborted and nothing is being written any more. Writes only with compares. */
  run(options: ControllerOptions): Promise<void>;
}
