/** The operations of a resource, by path. */
import type { ResourceDefinition, Subresource, Verb } from '../../../schemas/definition.js';
import { API_RESOURCE_LIST, PATCH, STATUS } from './meta-schemas.js';
import {
  DELETE_COLLECTION_PARAMETERS,
  DELETE_PARAMETERS,
  LIST_PARAMETERS,
  nameInPath,
  namespaceInPath,
  type Parameter,
  PATCH_PARAMETERS,
  pretty,
  WRITE_PARAMETERS,
} from './parameters.js';
import { type GroupVersionKind, type OpenApiSchema, reference } from './schema.js';

export type PathItem = Readonly<Record<string, unknown>>;

/** Names of the schemas that a resource's bodies have. */
export interface BodySchemas {
  readonly object: string;
  readonly list: string;
  readonly deleteOptions: string;
  /** Of a subresource in another kind. */
  readonly subresource: (subresource: Subresource) => string;
}

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const ANSWERS = ['application/json', 'application/yaml', PROTOBUF];
const STREAMS = [...ANSWERS, 'application/json;stream=watch', `${PROTOBUF};stream=watch`];
const PATCHES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

/** Everything that an operation's description is made of. */
interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** x-kubernetes-action. */
  readonly action: string;
  /** First word of the operation's id: read, list, create, replace, patch, delete. */
  readonly verb: string;
  /** The rest of its id, and what its description speaks of. */
  readonly subject: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly body?: { readonly id: string; readonly required: boolean; readonly types?: readonly string[] };
  readonly answer: string;
  readonly codes: readonly (200 | 201 | 202)[];
  readonly answerTypes?: readonly string[];
}

/** `/api/v1`, `/apis/apps/v1`. */
export function rootPath(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** The discovery document of a group and version. */
export function discoveryPath(group: string, version: string): [string, PathItem] {
  const id = `get${titleOf(group, version)}APIResources`;
  const tag = tagOf(group, version);
  return [
    `${rootPath(group, version)}/`,
    discoveryItem(tag, 'the resources of this version', id, API_RESOURCE_LIST),
  ];
}

/** A path that can only be read, and has no resource. `answer`: the id of its schema. */
export const discoveryItem = (
  tag: string,
  description: string,
  operationId: string,
  answer: string,
): PathItem => ({
  get: { tags: [tag], description, operationId, responses: responses(answer, [200], ANSWERS) },
});

/** The same where there is JSON only. */
export const jsonOperation = (
  tag: string,
  description: string,
  operationId: string,
  schema: OpenApiSchema,
): PathItem => ({
  tags: [tag],
  description,
  operationId,
  responses: {
    200: { description: 'OK', content: { 'application/json': { schema } } },
    401: { description: 'Unauthorized' },
  },
});

export function resourcePaths(definition: ResourceDefinition, schemas: BodySchemas): [string, PathItem][] {
  const { group, version, plural, namespaced, kind, verbs } = definition;
  const root = rootPath(group, version);
  const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const scope = namespaced ? [namespaceInPath] : [];
  const has = (verb: Verb) => verbs.includes(verb);
  const described = (
    operations: readonly (Operation | false)[],
    parameters: readonly Parameter[],
  ): PathItem => {
    const present = operations.filter((operation) => operation !== false);
    return {
      ...Object.fromEntries(present.map((operation) => [operation.method, describe(operation, definition)])),
      parameters: [...parameters, pretty],
    };
  };
  const subject = `${namespaced ? 'Namespaced' : ''}${kind}`;
  const paths: [string, PathItem][] = [
    [
      collection,
      described(
        [
          has('list') && listOperation(subject, kind, schemas),
          has('create') && createOperation(subject, kind, schemas.object),
          has('deletecollection') && deleteCollectionOperation(subject, kind, schemas),
        ],
        scope,
      ),
    ],
  ];
  if (has('get') || has('update') || has('delete')) {
    paths.push([
      `${collection}/{name}`,
      described(
        [
          has('get') && readOperation(subject, kind, schemas.object),
          has('update') && replaceOperation(subject, kind, schemas.object),
          has('delete') && deleteOperation(subject, kind, schemas),
          has('patch') && patchOperation(subject, kind, schemas.object),
        ],
        [nameInPath(kind), ...scope],
      ),
    ]);
  }
  if (namespaced && has('list')) {
    const operation = listOperation(`${kind}ForAllNamespaces`, kind, schemas);
    paths.push([`${root}/${plural}`, described([operation], [])]);
  }
  for (const subresource of definition.subresources) {
    paths.push(subresourcePath(`${collection}/{name}`, definition, subresource, schemas));
  }
  return paths;
}

function subresourcePath(
  item: string,
  definition: ResourceDefinition,
  subresource: Subresource,
  schemas: BodySchemas,
): [string, PathItem] {
  const { namespaced, kind } = definition;
  const { name, verbs } = subresource;
  const has = (verb: Verb) => verbs.includes(verb);
  const subject = `${namespaced ? 'Namespaced' : ''}${kind}${upperFirst(name)}`;
  const what = `${name} of a ${kind}`;
  const id = schemas.subresource(subresource);
  const operations = [
    has('get') && readOperation(subject, what, id),
    has('create') && createOperation(subject, what, id),
    has('update') && replaceOperation(subject, what, id),
    has('patch') && patchOperation(subject, what, id),
  ].filter((operation) => operation !== false);
  const described = operations.map((operation) => [
    operation.method,
    describe(operation, definition, subresource.kind),
  ]);
  const parameters = [
    nameInPath(subresource.kind?.kind ?? kind),
    ...(namespaced ? [namespaceInPath] : []),
    pretty,
  ];
  return [`${item}/${name}`, { ...Object.fromEntries(described), parameters }];
}

const listOperation = (subject: string, kind: string, { list }: BodySchemas): Operation => ({
  method: 'get',
  action: 'list',
  verb: 'list',
  subject,
  description: `list or watch ${kind} objects`,
  parameters: LIST_PARAMETERS,
  answer: list,
  codes: [200],
  answerTypes: STREAMS,
});

const createOperation = (subject: string, what: string, id: string): Operation => ({
  method: 'post',
  action: 'post',
  verb: 'create',
  subject,
  description: `create a ${what}`,
  parameters: WRITE_PARAMETERS,
  body: { id, required: true },
  answer: id,
  codes: [200, 201, 202],
});

const readOperation = (subject: string, what: string, id: string): Operation => ({
  method: 'get',
  action: 'get',
  verb: 'read',
  subject,
  description: `read the named ${what}`,
  parameters: [],
  answer: id,
  codes: [200],
});

const replaceOperation = (subject: string, what: string, id: string): Operation => ({
  method: 'put',
  action: 'put',
  verb: 'replace',
  subject,
  description: `replace the named ${what}`,
  parameters: WRITE_PARAMETERS,
  body: { id, required: true },
  answer: id,
  codes: [200, 201],
});

const patchOperation = (subject: string, what: string, id: string): Operation => ({
  method: 'patch',
  action: 'patch',
  verb: 'patch',
  subject,
  description: `change parts of the named ${what}`,
  parameters: PATCH_PARAMETERS,
  body: { id: PATCH, required: true, types: PATCHES },
  answer: id,
  codes: [200, 201],
});

const deleteOperation = (subject: string, kind: string, { deleteOptions }: BodySchemas): Operation => ({
  method: 'delete',
  action: 'delete',
  verb: 'delete',
  subject,
  description: `delete the named ${kind}`,
  parameters: DELETE_PARAMETERS,
  body: { id: deleteOptions, required: false },
  answer: STATUS,
  codes: [200, 202],
});

const deleteCollectionOperation = (
  subject: string,
  kind: string,
  { deleteOptions }: BodySchemas,
): Operation => ({
  method: 'delete',
  action: 'deletecollection',
  verb: 'delete',
  subject: `Collection${subject}`,
  description: `delete all ${kind} objects, or those selected`,
  parameters: DELETE_COLLECTION_PARAMETERS,
  body: { id: deleteOptions, required: false },
  answer: STATUS,
  codes: [200],
});

function describe(
  operation: Operation,
  { group, version, kind }: ResourceDefinition,
  bodyKind?: GroupVersionKind,
): PathItem {
  const { body } = operation;
  return {
    tags: [tagOf(group, version)],
    description: operation.description,
    operationId: `${operation.verb}${titleOf(group, version)}${operation.subject}`,
    ...(operation.parameters.length === 0 ? {} : { parameters: operation.parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: contents(body.id, body.types ?? ['*/*']),
            ...(body.required ? { required: true } : {}),
          },
        }),
    responses: responses(operation.answer, operation.codes, operation.answerTypes ?? ANSWERS),
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': bodyKind ?? { group, version, kind },
  };
}

const DESCRIPTIONS = { 200: 'OK', 201: 'Created', 202: 'Accepted' } as const;

function responses(id: string, codes: readonly (200 | 201 | 202)[], types: readonly string[]): OpenApiSchema {
  const answers = codes.map((code) => [
    code,
    { description: DESCRIPTIONS[code], content: contents(id, types) },
  ]);
  return { ...Object.fromEntries(answers), 401: { description: 'Unauthorized' } };
}

function contents(id: string, types: readonly string[]): OpenApiSchema {
  return Object.fromEntries(types.map((type) => [type, { schema: reference(id) }]));
}

export const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
/** A group as operations and tags call it: `core`, `rbacAuthorization`. */
export const groupWord = (group: string): string =>
  group === ''
    ? 'core'
    : group.replace(/\.k8s\.io$/, '').replace(/[^a-zA-Z0-9]+(.)/g, (_, next: string) => next.toUpperCase());
const tagOf = (group: string, version: string): string => `${groupWord(group)}_${version}`;
const titleOf = (group: string, version: string): string =>
  upperFirst(groupWord(group)) + upperFirst(version);
