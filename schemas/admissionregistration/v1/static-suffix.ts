/** Names that are kept for configurations given to a server as files, a feature that is off by default. */
import type { KubeObject } from '../../definition.js';

const SUFFIX = '.static.k8s.io';

export const staticSuffixWarnings = ({ metadata: { name = '' } }: KubeObject): string[] =>
  name.endsWith(SUFFIX)
    ? [
        `metadata.name: names ending with "${SUFFIX}" will be reserved for static manifest-based configurations when the ManifestBasedAdmissionControlConfig feature gate is enabled`,
      ]
    : [];
