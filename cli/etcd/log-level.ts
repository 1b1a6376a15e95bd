import { InvalidArgumentError } from 'commander';
import { type LogLevel, logLevels } from '../flags.js';

/** etcd's levels that pino calls otherwise. */
const SYNONYMS: ReadonlyMap<string, LogLevel> = new Map([
  ['dpanic', 'fatal'],
  ['panic', 'fatal'],
]);

export function logLevel(value: string): LogLevel {
  const level = SYNONYMS.get(value) ?? logLevels.find((each) => each === value);
  if (level === undefined) {
    throw new InvalidArgumentError('It must be one of debug, info, warn, error, panic, fatal.');
  }
  return level;
}
