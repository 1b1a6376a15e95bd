import type { RangeRequest, RangeResponse } from '../../client/interface.js';
import { EtcdError } from '../../errors.js';
import { PackedRows } from '../../mvcc/packed-rows.js';
import type { ServedClient } from '../../server/api.js';
import { furtherKvs, rangeEnding, rangeResponse } from '../messages/kv.js';
import { encodePackedKvs } from '../messages/packed-kvs.js';
import { EncodedMessage, type CallContext } from '../server/handlers.js';

/**
 * A range's answer as one message, read and encoded in pieces between which other calls run: pieces of protobuf, one after
 * the other, are one message.
 */
export async function wholeRange(
  client: Pick<ServedClient, 'range' | 'rangePages'>,
  request: RangeRequest,
  context: CallContext,
): Promise<RangeResponse | EncodedMessage> {
  const { rangeEnd } = request;
  if (rangeEnd === undefined || rangeEnd.length === 0) return client.range(request, context.brief);
  try {
    return await inPieces(client, request, context);
  } catch (error) {
    const isOvertaken = error instanceof EtcdError && error.is('Compacted') && !((request.revision ?? 0) > 0);
    // The newest revision was compacted while it was read. Once more, in one piece.
    if (isOvertaken) return client.range(request, context.brief);
    throw error;
  }
}

async function inPieces(
  client: Pick<ServedClient, 'rangePages'>,
  request: RangeRequest,
  context: CallContext,
): Promise<EncodedMessage> {
  const parts: Uint8Array[] = [];
  for await (const page of client.rangePages(request, context.brief)) {
    if (context.isOver) throw EtcdError.of('Canceled');
    const { header, more, count, kvs } = page;
    if (parts.length === 0) parts.push(rangeResponse.encode({ header, kvs: [], more: false, count }));
    parts.push(kvs instanceof PackedRows ? encodePackedKvs(kvs) : furtherKvs.encode({ kvs }));
    if (more) parts.push(rangeEnding.encode({ more }));
  }
  return new EncodedMessage(parts);
}
