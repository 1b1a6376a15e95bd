/** The OpenAPI documents, made on first use and again after the resources have changed. */
import { createHash } from 'node:crypto';
import type { ResourceTable } from '../registry/types.js';
import { groupsOf } from './discovery.js';
import { discoveryPaths } from './openapi/discovery-paths.js';

export interface OpenApiDocument {
  readonly bytes: Buffer;
  readonly contentType: string;
  /** Quoted, for ETag. */
  readonly etag: string;
}

export type OpenApiForm = 'json' | 'protobuf';

const contentTypes: Readonly<Record<OpenApiForm, string>> = {
  json: 'application/json',
  protobuf: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
};

/** Subtypes of `application` that version 2 can be asked for by. Some clients mean the version by an @. */
const subtypes: ReadonlyMap<string, OpenApiForm> = new Map([
  ['*', 'json'],
  ['json', 'json'],
  ['com.github.proto-openapi.spec.v2.v1.0+protobuf', 'protobuf'],
  ['com.github.proto-openapi.spec.v2@v1.0+protobuf', 'protobuf'],
]);

/** The form of version 2 that a client would have, in the order it names them: as upstream, weights do not count. */
export function formOfV2(accept: string | undefined): OpenApiForm | undefined {
  if (accept === undefined || accept === '') return 'json';
  for (const clause of accept.split(',')) {
    const [type = '', subtype = ''] = (clause.split(';')[0] ?? '').trim().toLowerCase().split('/');
    const form = type === 'application' || type === '*' ? subtypes.get(subtype) : undefined;
    if (form !== undefined) return form;
  }
  return undefined;
}

export class OpenApi {
  readonly #documents = new Map<string, OpenApiDocument>();

  constructor(private readonly table: ResourceTable) {
    table.onChange(() => this.#documents.clear());
  }

  v2(form: OpenApiForm): Promise<OpenApiDocument> {
    return this.#document(`v2 ${form}`, form, async () => {
      const { openApiV2, openApiV2Protobuf } = await builders();
      return form === 'json' ? json(openApiV2(this.table)) : openApiV2Protobuf(this.table);
    });
  }

  /** Where the documents of each group version are, with a hash of their content. */
  async v3Index(): Promise<OpenApiDocument> {
    return this.#document('v3', 'json', async () => json((await builders()).openApiV3Index(this.table)));
  }

  /** `path`: `api/v1`, `apis/apps`, `version`. Undefined where there is none. */
  async v3(path: string): Promise<OpenApiDocument | undefined> {
    if (!this.v3Paths().includes(path)) return undefined;
    return this.#document(`v3/${path}`, 'json', async () =>
      json((await builders()).openApiV3(this.table, path)),
    );
  }

  v3Paths(): string[] {
    const groups = groupsOf(this.table);
    return [
      ...discoveryPaths(groups.keys()),
      ...[...groups].flatMap(([group, versions]) =>
        [...versions.keys()].map((version) => (group === '' ? `api/${version}` : `apis/${group}/${version}`)),
      ),
    ];
  }

  async #document(key: string, form: OpenApiForm, make: () => Promise<Buffer>): Promise<OpenApiDocument> {
    let document = this.#documents.get(key);
    if (document === undefined) {
      const bytes = await make();
      const etag = `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"`;
      document = { bytes, contentType: contentTypes[form], etag };
      this.#documents.set(key, document);
    }
    return document;
  }
}

const json = (document: object): Buffer => Buffer.from(JSON.stringify(document));

/** Loaded when a client first asks: servers start without them. */
const builders = () => import('./openapi/index.js');
