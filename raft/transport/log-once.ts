/** Where the transport tells people what happens. pino's loggers are such. */
export interface TransportLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Subjects remembered: anyone who connects can be one. */
const SUBJECTS_MAX = 1000;

/** Says of each subject what is wrong with it once, until that changes. */
export class LogOnce {
  readonly #last = new Map<string, string>();

  constructor(private readonly logger: TransportLogger | undefined) {}

  warn(subject: string, fields: object, message: string): void {
    if (this.#last.get(subject) === message) return;
    if (this.#last.size >= SUBJECTS_MAX) this.#last.clear();
    this.#last.set(subject, message);
    this.logger?.warn(fields, message);
  }

  /** Nothing is wrong with the subject any more; `message` is said if something was, or it is new. */
  info(subject: string, fields: object, message: string): void {
    if (this.#last.get(subject) === message) return;
    if (this.#last.size >= SUBJECTS_MAX) this.#last.clear();
    this.#last.set(subject, message);
    this.logger?.info(fields, message);
  }
}
