/** How a call ends, and what of an error a client is told. */
import { EtcdError, GrpcCode } from '../../errors.js';

export interface Status {
  /** 0: well. */
  readonly code: number;
  readonly message: string;
}

export const OK: Status = { code: 0, message: '' };

/** Text for what nobody foresaw: what happened is for the log alone. */
const UNEXPECTED = 'unexpected failure; the server log has the details';

/** `onError` is told of what must not happen. */
export function statusOf(error: unknown, onError: (error: unknown) => void): Status {
  if (error instanceof EtcdError) return error;
  onError(error);
  return { code: GrpcCode.Unknown, message: UNEXPECTED };
}

/** What gRPC leaves as it is in `grpc-message`: printable ASCII but for the percent sign. */
const NOT_PLAIN = /[^ -$&-~]/;

/** A status text as a header's value: other bytes of its UTF-8 as %XX. */
export function percentEncode(text: string): string {
  if (!NOT_PLAIN.test(text)) return text;
  let encoded = '';
  for (const byte of Buffer.from(text)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}
