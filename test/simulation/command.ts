/** Commands of the simulated store: one operation on one key, named so that it is known again wherever it turns up. */
export type Command =
  | { readonly id: number; readonly kind: 'write'; readonly key: string; readonly value: string }
  | {
      readonly id: number;
      readonly kind: 'compare-and-set';
      readonly key: string;
      readonly expected: string | undefined;
      readonly value: string;
    };

export interface CommandResult {
  readonly succeeded: boolean;
  /** What was there before. */
  readonly found: string | undefined;
}

const ABSENT = '-';

export function encodeCommand(command: Command): Uint8Array {
  const { id, key, value } = command;
  const expected = command.kind === 'write' ? [] : [command.expected ?? ABSENT];
  return Buffer.from([id, key, value, ...expected].join(' '), 'latin1');
}

export function decodeCommand(payload: Uint8Array): Command {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('latin1');
  const [id, key = '', value = '', expected] = text.split(' ');
  const common = { id: Number(id), key, value };
  if (expected === undefined) return { ...common, kind: 'write' };
  return { ...common, kind: 'compare-and-set', expected: expected === ABSENT ? undefined : expected };
}
