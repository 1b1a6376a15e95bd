/**
 * Writes apiserver/http/serializers/protobuf-messages.ts: the protobuf messages that bodies of our kinds are made of.
 *
 *   node build/protobuf-messages.mjs PATH/TO/protobuf-fields.json
 *
 * The input maps each message of Kubernetes' interface definitions to its fields, `{name: [number, type]}`. Run it again
 * when a kind is added to `kinds` below.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const kinds = [
  ...['Namespace', 'ConfigMap', 'Secret', 'Pod', 'Service', 'ServiceAccount', 'Event', 'Node', 'Binding'].map(
    (kind) => `core.v1.${kind}`,
  ),
  'apps.v1.Deployment',
  'apps.v1.ReplicaSet',
  'autoscaling.v1.Scale',
  'authentication.v1.SelfSubjectReview',
  'authentication.v1.TokenRequest',
  'authentication.v1.TokenReview',
  'authorization.v1.LocalSubjectAccessReview',
  'authorization.v1.SelfSubjectAccessReview',
  'authorization.v1.SelfSubjectRulesReview',
  'authorization.v1.SubjectAccessReview',
  'coordination.v1.Lease',
  'events.v1.Event',
  'policy.v1.Eviction',
  ...['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'].map((kind) => `rbac.v1.${kind}`),
  'scheduling.v1.PriorityClass',
  'storage.v1.StorageClass',
  'meta.v1.DeleteOptions',
];

/** Go structs that are embedded: their fields are fields of the outer object in JSON. */
const embedded = new Set(['volumeSource', 'localObjectReference', 'handler', 'ephemeralContainerCommon']);

/** Messages that are no objects in JSON; the decoder knows how to read them. */
const special = new Set([
  'meta.v1.Time',
  'meta.v1.MicroTime',
  'meta.v1.FieldsV1',
  'resource.Quantity',
  'intstr.IntOrString',
  'authentication.v1.ExtraValue',
  'authorization.v1.ExtraValue',
]);

/** JSON names that the lower camel case of the protobuf name does not give. */
const renamed = new Map([['authentication.v1.BoundObjectReference.uID', 'uid']]);

const integers = /^(?:u?int(?:32|64)|sint32|fixed32)$/;

const messages = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const shortName = (name) =>
  name
    .replace(/^k8s\.io\.(?:api|apimachinery\.pkg\.apis)\./, '')
    .replace(/^k8s\.io\.apimachinery\.pkg\.(?:api|util)\./, '');
const full = new Map(Object.keys(messages).map((name) => [shortName(name), name]));

function typeOf(type, inMessage) {
  if (integers.test(type)) return 'int';
  if (['string', 'bytes', 'bool', 'double'].includes(type)) return type;
  const name = type.replace(/^\./, '');
  const neighbour = inMessage.slice(0, inMessage.lastIndexOf('.') + 1) + name;
  const found = messages[name] ? name : messages[neighbour] ? neighbour : undefined;
  if (found === undefined) throw new Error(`${inMessage}: unknown type ${type}`);
  return shortName(found);
}

function fieldOf(message, [name, [number, type]]) {
  const prefix = type.startsWith('repeated ')
    ? '[]'
    : type.startsWith('map<')
      ? '{}'
      : embedded.has(name)
        ? '~'
        : '';
  const bare = type.replace(/^(?:repeated|optional) /, '').replace(/^map<string, ?(.*)>$/, '$1');
  const jsonName = renamed.get(`${message}.${name}`) ?? name;
  return { number, jsonName, prefix, type: typeOf(bare, full.get(message)) };
}

/** As biome formats. */
const LINE_WIDTH = 110;

const lines = new Map();
const pending = [...kinds];
while (pending.length > 0) {
  const message = pending.pop();
  if (lines.has(message) || special.has(message)) continue;
  const fields = Object.entries(messages[full.get(message)])
    .map((field) => fieldOf(message, field))
    .sort((a, b) => a.number - b.number);
  const text = fields.map(({ number, jsonName, prefix, type }) => `${number}:${jsonName}:${prefix}${type}`);
  const line = `  '${message}': '${text.join(' ')}',`;
  lines.set(message, line.length > LINE_WIDTH ? line.replace(': ', ':\n    ') : line);
  pending.push(...fields.map(({ type }) => type).filter((type) => full.has(type)));
}

const header = `/**
 * Made by build/protobuf-messages.mjs; do not edit. One message a line: \`number:name:type\` of each field, where \`[]\`
 * marks lists, \`{}\` maps by string, and \`~\` an embedded struct whose fields belong to the outer object.
 */
export const PROTOBUF_MESSAGES: Readonly<Record<string, string>> = {
`;
const target = fileURLToPath(new URL('../apiserver/http/serializers/protobuf-messages.ts', import.meta.url));
writeFileSync(target, `${header}${[...lines.values()].sort().join('\n')}\n};\n`);
