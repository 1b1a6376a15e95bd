import type { HeaderField } from './static-table.js';
import type { RequestHeaders } from './stream.js';

const PSEUDO: ReadonlySet<string> = new Set([':method', ':scheme', ':authority', ':path']);
/** Which HTTP/2 does not have (RFC 9113 §8.2.2). */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
const NAME = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const NOT_IN_VALUES = /[\0\r\n]/;

/**
 * Undefined: malformed (RFC 9113 §8.2, §8.3). An `:authority` may be anything: etcd's clients put urls and names of their
 * own there, and nothing depends on it but the rule against web pages.
 */
export function requestHeaders(fields: readonly HeaderField[]): RequestHeaders | undefined {
  const headers: Record<string, string> = { __proto__: null as never };
  let isRegular = false;
  for (const [name, value] of fields) {
    if (!NAME.test(name) || NOT_IN_VALUES.test(value) || OF_CONNECTIONS.has(name)) return undefined;
    const known = headers[name];
    if (name.startsWith(':')) {
      if (isRegular || known !== undefined || !PSEUDO.has(name)) return undefined;
      headers[name] = value;
    } else {
      isRegular = true;
      headers[name] = known === undefined ? value : `${known}, ${value}`;
    }
  }
  if (headers[':method'] === undefined || headers[':path'] === undefined) return undefined;
  return headers;
}
