/** A whole API server in this process, over a store in memory: what `wherry serve` puts together, without its files. */
import { pino } from 'pino';
import { request } from 'undici';
import { defaultAdmission } from '../../apiserver/admission/index.js';
import type { AdmissionPlugin } from '../../apiserver/admission/plugin.js';
import { defaultAllocators } from '../../apiserver/allocation/index.js';
import { allowAll, type Authorizer } from '../../apiserver/auth/authorize.js';
import { reviewAnswers } from '../../apiserver/auth/reviews.js';
import { ServiceAccountTokens } from '../../apiserver/auth/service-account-tokens.js';
import { StoredKeys, type TokenKeys } from '../../apiserver/auth/token-keys.js';
import { type Computed, createRegistries } from '../../apiserver/registry/index.js';
import type { ResourceTable } from '../../apiserver/registry/types.js';
import { type ApiServerOptions, createApiServer } from '../../apiserver/server.js';
import type { KubeObject } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import type { EtcdClient } from '../../storage/client/interface.js';
import { openStore } from '../../storage/open.js';

export const ISSUER = 'https://kubernetes.default.svc';

export interface ServedOptions extends Partial<ApiServerOptions> {
  readonly keys?: TokenKeys;
  readonly issuers?: readonly string[];
  readonly audiences?: readonly string[];
  readonly authorizer?: Authorizer;
  /** By `group/plural`. */
  readonly computed?: ReadonlyMap<string, Computed>;
  /** What the server takes for the time, in milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Of a JSON body. */
  readonly json: KubeObject & { readonly message: string; readonly code: number };
}

export interface Asking {
  readonly method?: string;
  /** Sent as it is if it is bytes, else as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

export interface Served {
  readonly client: EtcdClient;
  readonly table: ResourceTable;
  readonly tokens: ServiceAccountTokens;
  readonly url: string;
  /** POST where there is a body, else GET, unless it says otherwise. */
  readonly ask: (path: string, asking?: Asking) => Promise<Answer>;
}

/** With the namespace `demo` and the service account `default` in it. `t.teardown` closes it. */
export async function serve(
  t: { teardown(close: () => Promise<void>): void },
  options: ServedOptions = {},
): Promise<Served> {
  const { keys, issuers = [ISSUER], audiences = [], now, authorizer = allowAll, computed, ...more } = options;
  const store = await openStore({ dataDir: ':memory:' });
  const { client } = store;
  const admission: AdmissionPlugin[] = [];
  const later = {
    get table() {
      return registries.table;
    },
  };
  const clock = now === undefined ? {} : { now };
  const tokens = new ServiceAccountTokens({
    registries: later,
    keys: keys ?? new StoredKeys(client, '/registry'),
    issuers,
    audiences,
    ...clock,
  });
  const registries = createRegistries({
    client,
    definitions: builtinResources,
    admission,
    allocators: defaultAllocators({ client, registries: later }),
    answers: reviewAnswers({ authorizer, tokens, ...clock }),
    ...(computed === undefined ? {} : { computed }),
    ...clock,
  });
  admission.push(...defaultAdmission(registries));
  const server = await createApiServer({
    registries,
    client,
    tokens,
    authorizer,
    bindAddress: '127.0.0.1',
    port: 0,
    securePort: undefined,
    logger: pino({ level: 'silent' }),
    version: '0.0.0-test',
    ...more,
  });
  const { port } = await server.listen();
  t.teardown(async () => {
    await server.close();
    registries.close();
    await store.close();
  });
  const url = `http://127.0.0.1:${port}`;
  const ask = async (path: string, asking: Asking = {}): Promise<Answer> => {
    const { body, token, contentType = 'application/json' } = asking;
    const {
      statusCode,
      headers,
      body: answer,
    } = await request(url + path, {
      method: (asking.method ?? (body === undefined ? 'GET' : 'POST')) as 'GET',
      headers: {
        ...(body === undefined ? {} : { 'content-type': contentType }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...asking.headers,
      },
      ...(body === undefined ? {} : { body: Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: statusCode,
      headers,
      text,
      get json() {
        return JSON.parse(text) as Answer['json'];
      },
    };
  };
  await ask('/api/v1/namespaces', { body: { metadata: { name: 'demo' } } });
  await ask('/api/v1/namespaces/demo/serviceaccounts', { body: { metadata: { name: 'default' } } });
  return { client, table: registries.table, tokens, url, ask };
}
