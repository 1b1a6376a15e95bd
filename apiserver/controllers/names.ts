/** The controllers that `--controllers` can name. Apart from their code, which --help does not wait for. */
export const controllerNames: readonly string[] = [
  'namespace-controller',
  'serviceaccount-controller',
  'garbage-collector-controller',
  'service-cidr-controller',
  'clusterrole-aggregation-controller',
  'resourcequota-controller',
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
  'volumeattributesclass-protection-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-token-controller',
];

/** Older names that kube-controller-manager takes too. */
export const controllerAliases: ReadonlyMap<string, string> = new Map([
  ['namespace', 'namespace-controller'],
  ['serviceaccount', 'serviceaccount-controller'],
  ['garbagecollector', 'garbage-collector-controller'],
  ['clusterrole-aggregation', 'clusterrole-aggregation-controller'],
  ['resourcequota', 'resourcequota-controller'],
  ['pvc-protection', 'persistentvolumeclaim-protection-controller'],
  ['pv-protection', 'persistentvolume-protection-controller'],
  ['vac-protection', 'volumeattributesclass-protection-controller'],
  ['root-ca-cert-publisher', 'root-ca-certificate-publisher-controller'],
  ['serviceaccount-token', 'serviceaccount-token-controller'],
]);
