import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { EtcdError } from '../errors.js';

/**
 * A hash says how it was made, so that the cost can rise later and old hashes still verify:
 *
 *     $scrypt$ln=14,r=8,p=1$<salt>$<hash>     N = 2^ln; salt and hash in base64
 */
const FORMAT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/;

/** 16 MiB and about 50 ms of one core: as dear as etcd's bcrypt at its default cost. */
const COST = { ln: 14, r: 8, p: 1 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** A client may bring its own hash: one that would cost more than this verifies nothing. */
const LN_MAX = 16;
const BLOCK_MAX = 8;
const PARALLEL_MAX = 4;
const HASH_BYTES_MAX = 64;
/** Of one hash at the dearest cost, with room to spare. */
const MEMORY_BYTES_MAX = 128 * 2 ** 20;

/** Hashes at a time: they share the pool of threads that also opens files. */
const RUNNING_MAX = 2;
/** Waiting for their turn: about ten seconds of work. */
const WAITING_MAX = 400;

/** Makes and verifies hashes off the event loop, a bounded number at a time. */
export class PasswordHasher {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @throws EtcdError RequestTooManyRequests */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.#derive(password, salt, HASH_BYTES, COST);
    const { ln, r, p } = COST;
    return `$scrypt$ln=${ln},r=${r},p=${p}$${salt.toString('base64')}$${hash.toString('base64')}`;
  }

  /** False for what is no hash of this format, too. @throws EtcdError RequestTooManyRequests */
  async verify(password: string, encoded: string): Promise<boolean> {
    const parts = FORMAT.exec(encoded);
    if (parts === null) return false;
    const [, ln, r, p, saltText = '', hashText = ''] = parts;
    const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
    const expected = Buffer.from(hashText, 'base64');
    if (!isAffordable(cost) || expected.length === 0 || expected.length > HASH_BYTES_MAX) return false;
    const hash = await this.#derive(password, Buffer.from(saltText, 'base64'), expected.length, cost);
    return timingSafeEqual(hash, expected);
  }

  async #derive(password: string, salt: Buffer, length: number, { ln, r, p }: Cost): Promise<Buffer> {
    await this.#turn();
    try {
      return await scryptAsync(password, salt, length, { N: 2 ** ln, r, p, maxmem: MEMORY_BYTES_MAX });
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  #turn(): Promise<void> {
    if (this.#running < RUNNING_MAX) {
      this.#running += 1;
      return Promise.resolve();
    }
    if (this.#waiting.length >= WAITING_MAX) return Promise.reject(EtcdError.of('RequestTooManyRequests'));
    return new Promise((resolve) =>
      this.#waiting.push(() => {
        this.#running += 1;
        resolve();
      }),
    );
  }
}

interface Cost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/** Scrypt itself wants N below 2^(16 r). */
function isAffordable({ ln, r, p }: Cost): boolean {
  return ln >= 1 && ln <= LN_MAX && ln < 16 * r && r >= 1 && r <= BLOCK_MAX && p >= 1 && p <= PARALLEL_MAX;
}

function scryptAsync(
  password: string,
  salt: Buffer,
  length: number,
  options: ScryptOptions,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
