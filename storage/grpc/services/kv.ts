import { PackedRows } from '../../mvcc/packed-rows.js';
import type { ServedClient } from '../../server/api.js';
import { serverStream, unary, type Route } from '../server/handlers.js';
import { KV } from '../services.js';
import { wholeRange } from './whole-range.js';

export function kvRoutes(client: ServedClient): Route[] {
  return [
    unary(KV.Range, (request, context) => wholeRange(client, request, context)),
    unary(KV.Put, (request, { brief }) => client.put(request, brief)),
    unary(KV.DeleteRange, (request, { brief }) => client.deleteRange(request, brief)),
    unary(KV.Txn, (request, { brief }) => client.txn(request, brief)),
    // A physical one waits until rows are gone.
    unary(KV.Compact, (request, context) => client.compact(request, context)),
    serverStream(KV.RangeStream, async function* (request, context) {
      for await (const page of client.rangePages(request, context)) {
        const kvs = page.kvs instanceof PackedRows ? page.kvs.toKeyValues() : page.kvs;
        yield { rangeResponse: { ...page, kvs } };
      }
    }),
  ];
}
