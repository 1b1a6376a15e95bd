import { positive } from '../../flags.js';
import type { EtcdFlag } from '../flag.js';
import { notNegative, text } from '../values.js';

export const authFlags: readonly EtcdFlag[] = [
  {
    name: 'auth-token',
    value: 'type',
    byDefault: 'simple',
    description: 'of tokens: simple, or jwt,pub-key=…,priv-key=…,sign-method=…,ttl=…',
    parse: text,
  },
  {
    name: 'auth-token-ttl',
    value: 'seconds',
    byDefault: '300',
    description: 'how long a simple token lasts that is not used',
    parse: positive,
  },
  {
    name: 'bcrypt-cost',
    value: 'cost',
    description: 'of hashing a password',
    parse: notNegative,
    noMeaning: 'passwords are hashed in another way, at a fixed cost',
  },
];
