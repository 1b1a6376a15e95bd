/** What a gRPC status means to a caller, and whether its call may be made again. */
import { EtcdError, GrpcCode, NotSentError } from '../../errors.js';

export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
}

const codes: ReadonlySet<number> = new Set(Object.values(GrpcCode));
const isCode = (code: number): code is GrpcCode => codes.has(code);

/** grpc-js's words where it found no connection to send on. */
const NOT_SENT = /^(?:No connection established|Name resolution failed)/;
const LAST_ERROR =
  /Last error: (?:Error: )?(?<why>.*?)(?: \(\d{4}-\d\d-\d\dT[\d:.]+Z\))?\. Resolution note:/s;
/** And where the stream of the call was reset, by a server that goes or by what lies between. */
const RESET = /^Received RST_STREAM/;
const SERVER = /^(?:etcdserver|auth|context|grpc|rpc|raft)\b/;

/** Texts of the server's own stay as they are; those of the connection name the endpoint. */
export function errorOfStatus({ code, details }: GrpcStatus, endpoint: string): EtcdError {
  if (code === GrpcCode.DeadlineExceeded) return EtcdError.of('DeadlineExceeded');
  if (NOT_SENT.test(details)) {
    return new NotSentError(endpoint, LAST_ERROR.exec(details)?.groups?.['why'] ?? details);
  }
  const isLost = (code === GrpcCode.Unavailable && !SERVER.test(details)) || RESET.test(details);
  if (isLost) return new EtcdError(GrpcCode.Unavailable, `lost the connection to ${endpoint}: ${details}`);
  if (code === GrpcCode.Canceled && details === 'Cancelled on client') return EtcdError.of('Canceled');
  return new EtcdError(isCode(code) ? code : GrpcCode.Unknown, details);
}

/** The server has refused before it did anything, or was never reached: another one may be asked. */
export function isCertainlyNotDone(error: EtcdError): boolean {
  return error instanceof NotSentError || error.is('NoLeader') || error.is('NotSupportedForLearner');
}

/** Another endpoint, or the same one later, may do better. What this call did so far is not known. */
export function isOfTheEndpoint(error: EtcdError): boolean {
  return error.code === GrpcCode.Unavailable || error.is('NotSupportedForLearner');
}

/** The token is not, or no longer, good; the server has done nothing. */
export function isOfTheToken(error: EtcdError): boolean {
  return error.is('InvalidAuthToken') || error.is('AuthOldRevision') || error.is('UserEmpty');
}
