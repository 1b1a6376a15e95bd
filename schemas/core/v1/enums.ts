/** Values that fields of several structs may take: OpenAPI lists them and refusals print them, in this order. */

export const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

export const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

/** In the order of refusals; OpenAPI sorts them. */
export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];
