/** The documents of what every client reads first: /api, /apis, each group, /version, and the keys of tokens. */
import { FIXED_PATHS } from './discovery-paths.js';
import { discoveryItem, groupWord, jsonOperation, type PathItem, upperFirst } from './paths.js';
import { kind, listOf, META, text } from './meta-schemas.js';
import { type OpenApiSchema, reference } from './schema.js';

/** A document's paths and what its bodies refer to. */
export interface DiscoveryDocument {
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly schemas: Readonly<Record<string, OpenApiSchema>>;
}

const VERSION = 'io.k8s.apimachinery.pkg.version.Info';
const required = (description?: string): OpenApiSchema => ({ default: '', ...text(description) });

const ADDRESS: readonly [string, OpenApiSchema] = [
  `${META}.ServerAddressByClientCIDR`,
  {
    description: 'Where clients of some network reach the server.',
    properties: { clientCIDR: required(), serverAddress: required('Host and port.') },
    required: ['clientCIDR', 'serverAddress'],
    type: 'object',
  },
];
const GROUP_VERSION: readonly [string, OpenApiSchema] = [
  `${META}.GroupVersionForDiscovery`,
  {
    description: 'One version of a group.',
    properties: { groupVersion: required('`apps/v1`.'), version: required('`v1`.') },
    required: ['groupVersion', 'version'],
    type: 'object',
  },
];
const GROUP: readonly [string, OpenApiSchema] = [
  `${META}.APIGroup`,
  {
    description: 'A group and its versions.',
    properties: {
      apiVersion: text(),
      kind: text(),
      name: required(),
      preferredVersion: { allOf: [reference(GROUP_VERSION[0])], default: {} },
      serverAddressByClientCIDRs: listOf(reference(ADDRESS[0])),
      versions: listOf(reference(GROUP_VERSION[0])),
    },
    required: ['name', 'versions'],
    type: 'object',
    'x-kubernetes-group-version-kind': kind('APIGroup'),
  },
];
const GROUPS: readonly [string, OpenApiSchema] = [
  `${META}.APIGroupList`,
  {
    description: 'All groups but the oldest, which has no name.',
    properties: { apiVersion: text(), groups: listOf(reference(GROUP[0])), kind: text() },
    required: ['groups'],
    type: 'object',
    'x-kubernetes-group-version-kind': kind('APIGroupList'),
  },
];
const VERSIONS: readonly [string, OpenApiSchema] = [
  `${META}.APIVersions`,
  {
    description: 'The versions of the group that has no name.',
    properties: {
      apiVersion: text(),
      kind: text(),
      serverAddressByClientCIDRs: listOf(reference(ADDRESS[0])),
      versions: listOf(text()),
    },
    required: ['versions', 'serverAddressByClientCIDRs'],
    type: 'object',
    'x-kubernetes-group-version-kind': kind('APIVersions'),
  },
];
const INFO: readonly [string, OpenApiSchema] = [
  VERSION,
  {
    description: 'The version of Kubernetes whose API this is, and what it was built from.',
    properties: {
      buildDate: required(),
      compiler: required(),
      emulationMajor: text(),
      emulationMinor: text(),
      gitCommit: required(),
      gitTreeState: required(),
      gitVersion: required(),
      goVersion: required(),
      major: required(),
      minCompatibilityMajor: text(),
      minCompatibilityMinor: text(),
      minor: required(),
      platform: required(),
    },
    required: [
      'major',
      'minor',
      'gitVersion',
      'gitCommit',
      'gitTreeState',
      'buildDate',
      'goVersion',
      'compiler',
      'platform',
    ],
    type: 'object',
  },
];

/** By the place in the index. */
const FIXED: Readonly<Record<(typeof FIXED_PATHS)[number], DiscoveryDocument>> = {
  api: {
    paths: {
      '/api/': discoveryItem('core', 'the versions of the core group', 'getCoreAPIVersions', VERSIONS[0]),
    },
    schemas: Object.fromEntries([VERSIONS, ADDRESS]),
  },
  apis: {
    paths: { '/apis/': discoveryItem('apis', 'the groups', 'getAPIVersions', GROUPS[0]) },
    schemas: Object.fromEntries([GROUPS, GROUP, GROUP_VERSION, ADDRESS]),
  },
  version: {
    paths: {
      '/version/': {
        get: jsonOperation('version', 'the version of this server', 'getCodeVersion', reference(VERSION)),
      },
    },
    schemas: Object.fromEntries([INFO]),
  },
  '.well-known/openid-configuration': {
    paths: {
      '/.well-known/openid-configuration/': {
        get: jsonOperation(
          'WellKnown',
          'who issues the tokens of service accounts',
          'getServiceAccountIssuerOpenIDConfiguration',
          { type: 'string' },
        ),
      },
    },
    schemas: {},
  },
  'openid/v1/jwks': {
    paths: {
      '/openid/v1/jwks/': {
        get: jsonOperation(
          'openid',
          'the keys that sign the tokens of service accounts',
          'getServiceAccountIssuerOpenIDKeyset',
          { type: 'string' },
        ),
      },
    },
    schemas: {},
  },
};

/** The document at one of discoveryPaths. */
export function discoveryDocument(path: string): DiscoveryDocument {
  const fixed = FIXED_PATHS.find((known) => known === path);
  if (fixed !== undefined) return FIXED[fixed];
  const word = groupWord(path.slice('apis/'.length));
  const id = `get${upperFirst(word)}APIGroup`;
  return {
    paths: { [`/${path}/`]: discoveryItem(word, 'what is known of a group', id, GROUP[0]) },
    schemas: Object.fromEntries([GROUP, GROUP_VERSION, ADDRESS]),
  };
}
