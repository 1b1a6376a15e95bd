import type { EtcdClient } from '../../client/interface.js';
import { serverStream, unary, type Route } from '../server/handlers.js';
import { KV } from '../services.js';
import { rangePages } from './range-pages.js';

export function kvRoutes(client: EtcdClient): Route[] {
  return [
    unary(KV.Range, (request, { brief }) => client.range(request, brief)),
    unary(KV.Put, (request, { brief }) => client.put(request, brief)),
    unary(KV.DeleteRange, (request, { brief }) => client.deleteRange(request, brief)),
    unary(KV.Txn, (request, { brief }) => client.txn(request, brief)),
    // A physical one waits until rows are gone.
    unary(KV.Compact, (request, context) => client.compact(request, context)),
    serverStream(KV.RangeStream, async function* (request, context) {
      for await (const rangeResponse of rangePages(client, request, context)) yield { rangeResponse };
    }),
  ];
}
