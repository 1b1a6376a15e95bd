/** The OpenAPI documents of the resources being served. Nothing is kept here; the caller caches. */
import { createHash } from 'node:crypto';
import type { ResourceDefinition } from '../../../schemas/definition.js';
import { discoveryDocument } from './discovery-documents.js';
import { discoveryPaths } from './discovery-paths.js';
import { rootPath } from './paths.js';
import type { OpenApiSchema } from './schema.js';
import { buildV2 } from './v2.js';
import { v2Protobuf } from './v2-protobuf.js';
import { buildV3, documentOf, info, type OpenApiV3 } from './v3.js';

/** Of the resource table all that is needed here. */
export interface Definitions {
  all(): readonly { readonly definition: ResourceDefinition }[];
}

/** `/openapi/v3`: the address of each document, with a hash so that clients may keep it for ever. */
export function openApiV3Index(table: Definitions): {
  readonly paths: Record<string, { serverRelativeURL: string }>;
} {
  const paths: [string, { serverRelativeURL: string }][] = [];
  for (const [path, document] of documents(table)) {
    const hash = createHash('sha512').update(JSON.stringify(document)).digest('hex').toUpperCase();
    paths.push([path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }]);
  }
  return { paths: Object.fromEntries(paths.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** `path`: `api/v1`, `apis/apps`, `version`; one of the index. */
export function openApiV3(table: Definitions, path: string): OpenApiV3 {
  const definitions = byPath(table).get(path);
  return definitions === undefined ? ofDiscovery(path) : buildV3(definitions);
}

export const openApiV2Protobuf = (table: Definitions): Buffer => v2Protobuf(openApiV2(table));

export function openApiV2(table: Definitions): OpenApiSchema {
  return buildV2(
    Array.from(documents(table), ([, document]) => document),
    info,
  );
}

/** Each is made when it is asked for, so that it may go before the next is made. */
function* documents(table: Definitions): Generator<readonly [path: string, document: OpenApiV3]> {
  const groups = new Set(table.all().map(({ definition }) => definition.group));
  for (const path of discoveryPaths(groups)) yield [path, ofDiscovery(path)];
  for (const [path, definitions] of byPath(table)) yield [path, buildV3(definitions)];
}

function ofDiscovery(path: string): OpenApiV3 {
  const { paths, schemas } = discoveryDocument(path);
  return documentOf(paths, schemas);
}

function byPath(table: Definitions): ReadonlyMap<string, ResourceDefinition[]> {
  const paths = new Map<string, ResourceDefinition[]>();
  for (const { definition } of table.all()) {
    const path = rootPath(definition.group, definition.version).slice(1);
    const definitions = paths.get(path) ?? [];
    paths.set(path, definitions);
    definitions.push(definition);
  }
  return paths;
}
