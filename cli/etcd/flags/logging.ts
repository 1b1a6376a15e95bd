import { list } from '../../flags.js';
import type { EtcdFlag } from '../flag.js';
import { logLevel } from '../log-level.js';
import { boolean, durationFromZero, oneOf, text } from '../values.js';

export const loggingFlags: readonly EtcdFlag[] = [
  {
    name: 'log-level',
    value: 'level',
    byDefault: 'info',
    description: 'debug, info, warn, error, panic or fatal; also trace and silent',
    parse: logLevel,
  },
  {
    name: 'log-outputs',
    value: 'list',
    byDefault: 'default',
    description: 'where to log: stdout (the default), stderr, paths of files',
    parse: list,
  },
  {
    name: 'log-format',
    value: 'format',
    usual: 'console on a terminal, json elsewhere',
    description: 'json or console',
    parse: oneOf('json', 'console'),
  },
  {
    name: 'warning-apply-duration',
    value: 'duration',
    byDefault: '100ms',
    description: 'an apply that takes longer counts in etcd_server_slow_apply_total',
    parse: durationFromZero,
  },
  {
    name: 'warning-unary-request-duration',
    value: 'duration',
    description: 'a request that takes longer is logged',
    parse: durationFromZero,
    noMeaning: 'requests are not logged; --metrics extensive tells how long they take',
  },
  {
    name: 'logger',
    value: 'library',
    description: 'that writes the log',
    parse: text,
    noMeaning: 'there is one',
  },
  {
    name: 'enable-log-rotation',
    description: 'start a new log file now and then',
    parse: boolean,
    noMeaning: 'log files grow; rotate them by copying and truncating',
  },
  {
    name: 'log-rotation-config-json',
    value: 'json',
    description: 'when to start one',
    parse: text,
    noMeaning: 'log files grow; rotate them by copying and truncating',
  },
];
