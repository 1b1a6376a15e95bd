/** The log: JSON lines (pino), or lines for a person where standard output is a terminal. */
import { openSync, writeSync } from 'node:fs';
import { type Logger, pino } from 'pino';
import type { LogLevel } from './flags.js';
import { UsageError } from './startup-error.js';

/** pino's own fields, which a line for a person shows in its own way or not at all. */
const HIDDEN_FIELDS = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'err']);

export interface LogOptions {
  readonly logLevel: LogLevel;
  /** `default` (standard output), `stdout`, `stderr`, or paths of files. */
  readonly logOutputs?: readonly string[];
  /** Console: lines for a person. Absent: that on a terminal. */
  readonly logFormat?: 'json' | 'console';
}

/** Throws UsageError for a file that cannot be written. */
export function createLogger(options: LogOptions, terminal: boolean): Logger {
  const { logLevel: level, logOutputs = ['default'] } = options;
  const isConsole = options.logFormat === undefined ? terminal : options.logFormat === 'console';
  if (!isConsole && logOutputs.every(isStandard)) return pino({ level });
  const streams = logOutputs.map(openOutput);
  const write = (line: string) => {
    const text = isConsole ? forPerson(line) : line;
    for (const stream of streams) stream(text);
  };
  return pino({ level }, { write });
}

const isStandard = (output: string) => output === 'default' || output === 'stdout';

function openOutput(output: string): (text: string) => void {
  if (isStandard(output)) return (text) => void process.stdout.write(text);
  if (output === 'stderr') return (text) => void process.stderr.write(text);
  try {
    const file = openSync(output, 'a', 0o600);
    return (text) => void writeSync(file, text);
  } catch (error) {
    throw new UsageError(
      `cannot use --log-outputs: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
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
