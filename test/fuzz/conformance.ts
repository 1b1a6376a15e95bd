/** Reads the whole store past the server: every object in it must be one that its kind allows, in the form it is kept in. */
import { decodeStoredProtobuf } from '../../apiserver/http/serializers/index.js';
import { decodeObject } from '../../schemas/decode.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import { validateObjectMeta } from '../../schemas/validation/metadata.js';
import type { EtcdClient, KeyValue } from '../../storage/client/interface.js';
import { differences } from '../tools/transcript.js';

const ROOT = '/registry/';
/** What servers keep for themselves, for which there is no resource here. */
const notServed = /^\/registry\/(?:ranges|masterleases|wherry)\//;

/** A binding may bring any name of a node, any annotations and labels, upstream too. */
const mayBeWrong: ReadonlySet<string> = new Set([
  'pods spec.nodeName',
  'pods metadata.annotations',
  'pods metadata.labels',
]);

/** One line for each object with something wrong about it. */
export async function nonconforming(client: EtcdClient): Promise<string[]> {
  const { kvs } = await client.range({ key: Buffer.from(ROOT), rangeEnd: Buffer.from('/registry0') });
  return kvs.flatMap((kv) => {
    const key = Buffer.from(kv.key).toString();
    try {
      return problemsOf(key, kv).map((problem) => `${key}: ${problem}`);
    } catch (error) {
      return [`${key}: ${error instanceof Error ? error.message : String(error)}`];
    }
  });
}

function problemsOf(key: string, { value }: KeyValue): string[] {
  const definition = definitionOf(key);
  if (definition === undefined) return notServed.test(key) ? [] : ['no resource is kept here'];
  const stored = decodeStoredProtobuf(value) ?? (JSON.parse(Buffer.from(value).toString()) as KubeObject);
  const decoded = decodeObject(definition, structuredClone(stored));
  if ('typeError' in decoded) return [decoded.typeError];
  const problems = decoded.unknownFields.map((field) => `unknown field ${field}`);
  const { object } = decoded;
  const { name, namespace = '', resourceVersion } = object.metadata;
  const expected = `${ROOT}${definition.etcdPrefix}/${namespace === '' ? '' : `${namespace}/`}${name}`;
  if (key !== expected) problems.push(`it says that it is ${expected}`);
  if (resourceVersion !== undefined) problems.push('it has a resourceVersion');
  if (stored.kind !== definition.kind) problems.push(`it is a ${stored.kind}`);
  if (!canBeAgain(definition, object)) return problems;
  const parsed = definition.schema().safeParse(withoutNulls(object));
  if (!parsed.success)
    problems.push(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join(', '));
  problems.push(...differences(object, stored).map((line) => `read again, ${line}`));
  const errors = [
    ...validateObjectMeta(object, definition),
    ...(definition.strategy.validate?.(object) ?? []),
  ];
  for (const { field, message } of errors) {
    // Updates of a status check no generateName, upstream's neither.
    if (field === 'metadata.generateName' && definition.subresources.length > 0) continue;
    if (!mayBeWrong.has(`${definition.plural} ${field}`)) problems.push(`${field}: ${message}`);
  }
  return problems;
}

/** Go prints some times that are not set as null; a client may leave them out, and zod wants them so. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([key, member]) => [key, withoutNulls(member)]));
}

/** Events are kept in the form of one of their two groups, whichever wrote them. */
const canBeAgain = (definition: ResourceDefinition, { apiVersion }: KubeObject): boolean =>
  apiVersion === (definition.group === '' ? definition.version : `${definition.group}/${definition.version}`);

function definitionOf(key: string): ResourceDefinition | undefined {
  return builtinResources.find(
    ({ etcdPrefix, storedAs, virtual }) =>
      storedAs === undefined && virtual !== true && key.startsWith(`${ROOT}${etcdPrefix}/`),
  );
}
