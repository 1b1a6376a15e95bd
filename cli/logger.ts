/** The log: JSON lines (pino), or lines for a person where standard output is a terminal. */
import { type Logger, pino } from 'pino';
import type { LogLevel } from './flags.js';

/** pino's own fields, which a line for a person shows in its own way or not at all. */
const HIDDEN_FIELDS = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'err']);

export function createLogger(level: LogLevel, terminal: boolean): Logger {
  if (!terminal) return pino({ level });
  return pino({ level }, { write: (line: string) => process.stdout.write(forPerson(line)) });
}

/** `12:03:01 WARN  slow request path=/api/v1/pods`, with an error's stack below. */
export function forPerson(line: string): string {
  const entry = JSON.parse(line) as Record<string, unknown> & { readonly msg?: string };
  const time = new Date(Number(entry['time'])).toTimeString().slice(0, 8);
  const level = (pino.levels.labels[Number(entry['level'])] ?? '').toUpperCase().padEnd(5);
  const fields = Object.entries(entry)
    .filter(([name]) => !HIDDEN_FIELDS.has(name))
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const error = entry['err'] as { readonly stack?: string } | undefined;
  const stack = error?.stack === undefined ? '' : `\n${error.stack}`;
  return `${time} ${level} ${entry.msg ?? ''}${fields.join('')}${stack}\n`;
}
