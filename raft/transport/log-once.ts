/** Where the transport tells people what happens. pino's loggers are such. */
export interface TransportLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Subjects remembered: anyone who connects can be one. */
const SUBJECTS_MAX = 1000;

/** Says of each subject how it is with it once, until that changes. */
export class LogOnce {
  readonly #last = new Map<string, string>();

  constructor(private readonly logger: TransportLogger | undefined) {}

  warn(subject: string, fields: object, message: string): void {
    if (this.#isNews(subject, message)) this.logger?.warn(fields, message);
  }

  info(subject: string, fields: object, message: string): void {
    if (this.#isNews(subject, message)) this.logger?.info(fields, message);
  }

  /** Whatever was wrong with it is over. */
  forget(subject: string): void {
    this.#last.delete(subject);
  }

  #isNews(subject: string, message: string): boolean {
    if (this.#last.get(subject) === message) return false;
    if (this.#last.size >= SUBJECTS_MAX) this.#last.clear();
    this.#last.set(subject, message);
    return true;
  }
}
