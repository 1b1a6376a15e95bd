/** The OpenAPI documents, made on first use and again after the resources have changed. */
import { createHash } from 'node:crypto';
import type { ResourceTable } from '../registry/types.js';
import { type DiscoveryDocument, groupsOf } from './discovery.js';

export class OpenApi {
  readonly #documents = new Map<string, DiscoveryDocument>();

  constructor(private readonly table: ResourceTable) {
    table.onChange(() => this.#documents.clear());
  }

  v2(): Promise<DiscoveryDocument> {
    return this.#document('v2', async () => (await builders()).openApiV2(this.table));
  }

  /** Where the documents of each group version are, with a hash of their content. */
  async v3Index(): Promise<DiscoveryDocument> {
    return this.#document('v3', async () => (await builders()).openApiV3Index(this.table));
  }

  /** `path`: `api/v1`, `apis/apps/v1`. Undefined where there is none. */
  async v3(path: string): Promise<DiscoveryDocument | undefined> {
    if (!this.v3Paths().includes(path)) return undefined;
    return this.#document(`v3/${path}`, async () => (await builders()).openApiV3(this.table, path));
  }

  v3Paths(): string[] {
    return [...groupsOf(this.table)].flatMap(([group, versions]) =>
      [...versions.keys()].map((version) => (group === '' ? `api/${version}` : `apis/${group}/${version}`)),
    );
  }

  async #document(key: string, make: () => Promise<object>): Promise<DiscoveryDocument> {
    let document = this.#documents.get(key);
    if (document === undefined) {
      const json = Buffer.from(JSON.stringify(await make()));
      const etag = `"${createHash('sha512').update(json).digest('hex').toUpperCase()}"`;
      document = { json, etag };
      this.#documents.set(key, document);
    }
    return document;
  }
}

/** Loaded when a client first asks: servers start without them. */
const builders = () => import('./openapi/index.js');
