/** The OpenAPI documents of the resources being served. Nothing is kept here; the caller caches. */
import { createHash } from 'node:crypto';
import type { ResourceDefinition } from '../../../schemas/definition.js';
import { rootPath } from './paths.js';
import type { OpenApiSchema } from './schema.js';
import { buildV2 } from './v2.js';
import { v2Protobuf } from './v2-protobuf.js';
import { buildV3, info, type OpenApiV3 } from './v3.js';

/** Of the resource table all that is needed here. */
export interface Definitions {
  all(): readonly { readonly definition: ResourceDefinition }[];
}

/** `/openapi/v3`: the address of each document, with a hash so that clients may keep it for ever. */
export function openApiV3Index(table: Definitions): {
  readonly paths: Record<string, { serverRelativeURL: string }>;
} {
  const paths = [...byPath(table)].map(([path, definitions]) => {
    const hash = createHash('sha512')
      .update(JSON.stringify(buildV3(definitions)))
      .digest('hex')
      .toUpperCase();
    return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
  });
  return { paths: Object.fromEntries(paths) };
}

/** `path`: `api/v1`, `apis/apps/v1`; one of the index. */
export function openApiV3(table: Definitions, path: string): OpenApiV3 {
  return buildV3(byPath(table).get(path) ?? []);
}

export const openApiV2Protobuf = (table: Definitions): Buffer => v2Protobuf(openApiV2(table));

export function openApiV2(table: Definitions): OpenApiSchema {
  return buildV2([...byPath(table).values()].map(buildV3), info);
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
