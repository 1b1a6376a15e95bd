/** Errors as answers: a Status in what the client takes, as far as it takes anything. */
import type { Status, StatusError } from '../errors.js';
import type { Answerable } from './exchange.js';
import { contentTypes, negotiable, statuses } from './negotiation.js';
import { valueBody, wantsPretty } from './representation.js';
import { type Body, send } from './respond.js';
import { protobufKind } from './serializers/protobuf-kinds.js';

const statusKind = { group: '', version: 'v1', kind: 'Status' };

/** A client that takes no form of it gets JSON for people: it could not be told of the error otherwise. */
function statusBody(exchange: Answerable, status: Status): Body {
  const accepted = negotiable(exchange.request.headers.accept, statuses);
  if (accepted === undefined) {
    const content = Buffer.from(JSON.stringify(status, null, 2));
    return { contentType: contentTypes.json, bytes: content.length, content };
  }
  const pretty = accepted.pretty || wantsPretty(exchange);
  return valueBody({ ...accepted, pretty }, status, () => protobufKind(statusKind));
}

export function sendError(exchange: Answerable, error: StatusError): Promise<void> | undefined {
  const retry = error.details?.retryAfterSeconds;
  const headers = retry === undefined ? undefined : { 'retry-after': retry };
  return send(exchange, error.code, statusBody(exchange, error.toStatus()), headers);
}
