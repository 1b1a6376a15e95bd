/** Which OpenAPI documents there are beside those of the resources; apart, since a server starts without what is in them. */
export const FIXED_PATHS = [
  'api',
  'apis',
  'version',
  '.well-known/openid-configuration',
  'openid/v1/jwks',
] as const;

/** One document for each group, too. `groups`: '' for core. */
export const discoveryPaths = (groups: Iterable<string>): string[] => [
  ...FIXED_PATHS,
  ...[...groups].filter((group) => group !== '').map((group) => `apis/${group}`),
];
