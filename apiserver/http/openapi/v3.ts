/** OpenAPI 3.0, one document for each group and version. */
import type { ResourceDefinition } from '../../../schemas/definition.js';
import { metaOf } from '../../../schemas/fields.js';
import { deleteOptions, listMeta } from '../../../schemas/meta/v1.js';
import { kubernetesVersion } from '../version.js';
import { listSchema, META_SCHEMAS, WATCH_EVENT, watchEventSchema } from './meta-schemas.js';
import { discoveryPath, type PathItem, resourcePaths } from './paths.js';
import { Components, type GroupVersionKind, type OpenApiSchema } from './schema.js';

export interface OpenApiV3 {
  readonly openapi: '3.0.0';
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, OpenApiSchema>>;
    readonly securitySchemes: OpenApiSchema;
  };
}

export const info = {
  title: 'Kubernetes',
  version: `v${kubernetesVersion.major}.${kubernetesVersion.minor}.${kubernetesVersion.patch}`,
} as const;

/** `definitions`: those of one group and version. */
export function buildV3(definitions: readonly ResourceDefinition[]): OpenApiV3 {
  const components = new Components(kindsByStruct(definitions));
  const [first] = definitions;
  for (const [id, schema] of Object.entries(META_SCHEMAS)) components.define(id, schema);
  if (first !== undefined)
    components.define(WATCH_EVENT, watchEventSchema(kindsOfGroup(first, 'WatchEvent')));
  components.add(listMeta());
  const options = components.add(deleteOptions());
  const paths = new Map<string, PathItem>();
  for (const definition of definitions) {
    const { group, version } = definition;
    const [discovery, item] = discoveryPath(group, version);
    paths.set(discovery, item);
    for (const [path, item] of describeResource(definition, components, options)) {
      // Several resources may share a path: what a virtual one creates and another lists.
      paths.set(path, { ...paths.get(path), ...item });
    }
  }
  return documentOf(Object.fromEntries([...paths].sort(([a], [b]) => (a < b ? -1 : 1))), components.toJSON());
}

export function documentOf(
  paths: OpenApiV3['paths'],
  schemas: OpenApiV3['components']['schemas'],
): OpenApiV3 {
  return {
    openapi: '3.0.0',
    info,
    paths,
    components: {
      schemas,
      securitySchemes: {
        BearerToken: {
          description: 'A bearer token',
          in: 'header',
          name: 'authorization',
          type: 'apiKey',
        },
      },
    },
  };
}

function describeResource(
  definition: ResourceDefinition,
  components: Components,
  deleteOptionsId: string,
): [string, PathItem][] {
  const object = components.add(definition.schema());
  const list = `${object}List`;
  if (definition.verbs.includes('list')) components.define(list, listSchema(definition, object));
  return resourcePaths(definition, {
    object,
    list,
    deleteOptions: deleteOptionsId,
    subresource: ({ schema }) => (schema === undefined ? object : components.add(schema())),
  });
}

/** A kind that each group version has as its own, beside the core group's. */
function kindsOfGroup({ group, version }: ResourceDefinition, kind: string): GroupVersionKind[] {
  const core = { group: '', version: 'v1', kind };
  return group === '' ? [core] : [core, { group, version, kind }];
}

/** The kinds that structures are the bodies of, by the structure's name. */
function kindsByStruct(definitions: readonly ResourceDefinition[]): ReadonlyMap<string, GroupVersionKind[]> {
  const kinds = new Map<string, GroupVersionKind[]>();
  const add = (id: string | undefined, { group, version, kind }: GroupVersionKind) => {
    if (id !== undefined) kinds.set(id, [{ group, version, kind }]);
  };
  const [first] = definitions;
  const { structId } = metaOf(deleteOptions());
  if (first !== undefined && structId !== undefined)
    kinds.set(structId, kindsOfGroup(first, 'DeleteOptions'));
  for (const definition of definitions) {
    add(metaOf(definition.schema()).structId, definition);
    for (const { kind, schema } of definition.subresources) {
      if (kind !== undefined && schema !== undefined) add(metaOf(schema()).structId, kind);
    }
  }
  return kinds;
}
