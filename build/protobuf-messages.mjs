/**
 * Writes apiserver/http/serializers/protobuf-messages.ts: the protobuf messages of all built-in kinds.
 *
 *   node build/protobuf-messages.mjs PATH/TO/protobuf-fields.json PROGRAM...
 *
 * The first input maps each message of Kubernetes' interface definitions to its fields, `{name: [number, type]}`. The
 * programs are executables of Go that contain Kubernetes' types, such as .clients/kubectl-1.35 and .clients/helm-4.1: they
 * know what the definitions leave out, the fields' names in JSON, embedded structs, and which fields are pointers.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { goStructs } from './go-structs.mjs';

/** Versions that kube-apiserver can serve or store; others of these groups are gone. */
const versions = {
  admissionregistration: ['v1', 'v1beta1', 'v1alpha1'],
  apidiscovery: ['v2', 'v2beta1'],
  apiserverinternal: ['v1alpha1'],
  apps: ['v1'],
  authentication: ['v1'],
  authorization: ['v1'],
  autoscaling: ['v1', 'v2'],
  batch: ['v1'],
  certificates: ['v1', 'v1beta1', 'v1alpha1'],
  coordination: ['v1', 'v1beta1', 'v1alpha2'],
  core: ['v1'],
  discovery: ['v1'],
  events: ['v1'],
  flowcontrol: ['v1'],
  networking: ['v1', 'v1beta1'],
  node: ['v1'],
  policy: ['v1'],
  rbac: ['v1'],
  resource: ['v1', 'v1beta2', 'v1beta1', 'v1alpha3'],
  scheduling: ['v1', 'v1alpha2'],
  storage: ['v1', 'v1beta1'],
  storagemigration: ['v1beta1'],
};
const packages = [
  ...Object.entries(versions).flatMap(([group, all]) =>
    all.map((version) => `k8s.io.api.${group}.${version}`),
  ),
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1',
];
/** What is asked for and answered in every group. */
const metaKinds = ['APIGroup', 'APIGroupList', 'APIResourceList', 'APIVersions', 'DeleteOptions', 'Status'];

/** Messages that are no objects in JSON; the serializer knows how to read and write them. */
const special = new Set([
  'meta.v1.Time',
  'meta.v1.MicroTime',
  'meta.v1.FieldsV1',
  'meta.v1.Verbs',
  'resource.Quantity',
  'intstr.IntOrString',
  'runtime.RawExtension',
  'authentication.v1.ExtraValue',
  'authorization.v1.ExtraValue',
  'certificates.v1.ExtraValue',
  'certificates.v1beta1.ExtraValue',
  'apiextensions.v1.JSON',
  'apiextensions.v1.JSONSchemaPropsOrArray',
  'apiextensions.v1.JSONSchemaPropsOrBool',
  'apiextensions.v1.JSONSchemaPropsOrStringArray',
]);
/** What special messages hold in turn. */
const alsoReached = { 'apiextensions.v1.JSONSchemaPropsOrArray': 'apiextensions.v1.JSONSchemaProps' };

/** Set by value in Go, though no program at hand has these fields yet; what else is unknown is taken for a pointer. */
const plainAnyway = new Set(['metadata', 'spec', 'status']);
const newlyPlain = new Set([
  'core.v1.ImageVolumeStatus.imageRef',
  'core.v1.NodeAllocatableResourceClaimStatus.resourceClaimName',
  'meta.v1.ShardInfo.selector',
]);

/** kube-aggregator's, which neither input has. */
const byHand = {
  'apiregistration.v1': [
    'APIService 1metadata:meta.v1.ObjectMeta 2spec:APIServiceSpec 3status:APIServiceStatus',
    'APIServiceCondition 1type 2status 3lastTransitionTime:meta.v1.Time 4reason 5message',
    'APIServiceSpec 1service?ServiceReference 2group 3version 4insecureSkipTLSVerify:bool 5caBundle?bytes 7groupPriorityMinimum:int 8versionPriority:int',
    'APIServiceStatus 1conditions*APIServiceCondition',
    'ServiceReference 1namespace 2name 3port?int',
  ],
};

const [definitions, ...programs] = process.argv.slice(2);
const messages = JSON.parse(readFileSync(definitions, 'utf8'));
const structs = new Map(programs.flatMap((program) => [...goStructs(program)]));

const shortName = (name) =>
  name
    .replace(/^k8s\.io\.(?:api|(?:apimachinery|apiextensions_apiserver)\.pkg\.apis)\./, '')
    .replace(/^k8s\.io\.apimachinery\.pkg\.(?:api\.|util\.)?/, '');
const fullName = new Map(Object.keys(messages).map((name) => [shortName(name), name]));

/**
 * Fields of the Go struct of a message by number. Where no program has it, what the same struct in another version of the
 * group has under the same number and name.
 */
function goFields(message) {
  const name = message.slice(message.lastIndexOf('.') + 1);
  const path = message
    .slice(0, -name.length - 1)
    .replace('apiextensions_apiserver', 'apiextensions-apiserver')
    .replace(/^k8s\.io\./, 'k8s.io/')
    .replaceAll(/\.(?!io\/)/g, '/');
  const own = structs.get(`${path}.${name}`);
  if (own !== undefined) return new Map(own.map((field) => [field.number, field]));
  const group = path.slice(0, path.lastIndexOf('/') + 1);
  const other = [...structs.keys()].find((key) => key.startsWith(group) && key.endsWith(`.${name}`));
  const names = new Map(Object.entries(messages[message]).map(([name, [number]]) => [number, name]));
  const same = (structs.get(other) ?? []).filter(
    ({ number, json = '' }) => json.split(',')[0] === names.get(number),
  );
  return new Map(same.map((field) => [field.number, field]));
}

const scalars = { string: '', bool: 'bool', bytes: 'bytes', double: 'double' };

function typeOf(type, inMessage) {
  if (/^(?:u?int(?:32|64)|sint32|fixed32)$/.test(type)) return 'int';
  if (type in scalars) return scalars[type];
  const name = type.replace(/^\./, '');
  const neighbour = inMessage.slice(0, inMessage.lastIndexOf('.') + 1) + name;
  const found = messages[name] ? name : messages[neighbour] ? neighbour : undefined;
  if (found === undefined) throw new Error(`${inMessage}: unknown type ${type}`);
  return shortName(found);
}

function fieldOf(message, go, [name, [number, described]]) {
  const [, shape, bare] = /^(repeated |map<string, ?)?(.*?)>?$/.exec(described.replace(/^optional /, ''));
  const known = go.get(number);
  const [json, ...flags] = (known?.json ?? name).split(',');
  const optional =
    known?.optional ?? !(plainAnyway.has(name) || newlyPlain.has(`${shortName(message)}.${name}`));
  const type = typeOf(bare, message);
  const sign =
    shape === 'repeated '
      ? '*'
      : shape
        ? '%'
        : flags.includes('inline')
          ? '~'
          : optional || type === 'bytes'
            ? '?'
            : ':';
  return { number, type, json: json === '' ? name : json, sign };
}

const kinds = Object.entries(messages).flatMap(([name, fields]) => {
  const isKind =
    fields.metadata?.[1].endsWith('ObjectMeta') && packages.some((of) => name.startsWith(`${of}.`));
  return isKind || /^k8s\.io\.api\.apidiscovery\.v2(?:beta1)?\.APIGroupDiscoveryList$/.test(name)
    ? [shortName(name)]
    : [];
});
const pending = [...kinds, ...metaKinds.map((kind) => `meta.v1.${kind}`)];
/** By package the lines of its messages. */
const lines = new Map();
const done = new Set();
while (pending.length > 0) {
  const message = pending.pop();
  if (done.has(message)) continue;
  done.add(message);
  if (special.has(message)) {
    if (alsoReached[message]) pending.push(alsoReached[message]);
    continue;
  }
  const full = fullName.get(message);
  const go = goFields(full);
  const at = message.lastIndexOf('.');
  const [inPackage, name] = [message.slice(0, at), message.slice(at + 1)];
  const fields = Object.entries(messages[full]).map((field) => fieldOf(full, go, field));
  fields.sort((a, b) => a.number - b.number);
  const text = fields.map(({ number, json, sign, type }) => {
    const near = type.startsWith(`${inPackage}.`) && !type.slice(inPackage.length + 1).includes('.');
    const shown = near ? type.slice(inPackage.length + 1) : type;
    return `${number}${json}${sign === ':' && shown === '' ? '' : sign}${shown}`;
  });
  lines.set(inPackage, [...(lines.get(inPackage) ?? []), [name, ...text].join(' ')]);
  pending.push(...fields.map(({ type }) => type).filter((type) => fullName.has(type)));
}

for (const [name, all] of Object.entries(byHand)) lines.set(name, all);

const header = `/**
 * Made by build/protobuf-messages.mjs; do not edit. By package its messages, one a line: the name, then of each field the
 * number, the name in JSON, and what it holds. \`:\` is followed by the type of a field that Go always writes, \`?\` of one
 * that it writes where it is set, \`*\` of the items of a list, \`%\` of the values of a map by string; after \`~\` stands an
 * embedded struct, whose fields belong to the outer object. No type is a string; types without a package are neighbours.
 *
 * A function, so that the text is neither scanned nor kept by a server whose clients speak JSON.
 */
export const protobufMessages = (): Readonly<Record<string, string>> => ({
`;
const body = [...lines]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, all]) => `  '${name}': \`\n${all.sort().join('\n')}\n\`,\n`);
const target = fileURLToPath(new URL('../apiserver/http/serializers/protobuf-messages.ts', import.meta.url));
writeFileSync(target, `${header}${body.join('')}});\n`);
