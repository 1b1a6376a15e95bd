/** What containers and pods ask for and may use at most. */
import type * as z from 'zod';
import { type FieldMeta, list, map, once, struct, text } from '../../fields.js';
import { quantity } from '../../meta/scalars.js';

export type ResourceRequirements = z.infer<ReturnType<typeof resourceRequirements>>;
export type VolumeResourceRequirements = z.infer<ReturnType<typeof volumeResourceRequirements>>;
export type ContainerResizePolicy = z.infer<ReturnType<typeof containerResizePolicy>>;

const CORE = 'io.k8s.api.core.v1';

/** Amounts by resource name: `cpu`, `memory`, `example.com/device`. */
export const resourceList = (meta: FieldMeta = {}) => map(quantity(), { goType: 'v1.ResourceList', ...meta });

export const resourceClaim = once(() =>
  struct(
    `${CORE}.ResourceClaim`,
    {
      name: text({ default: '' }),
      request: text({ omitEmpty: true, description: 'One request of the claim; absent for all of them.' }),
    },
    { description: "An entry of the pod's resourceClaims that the container uses.", required: ['name'] },
  ),
);

export const resourceRequirements = once(() =>
  struct(
    `${CORE}.ResourceRequirements`,
    {
      limits: resourceList({ description: 'The most that may be used.' }),
      requests: resourceList({ description: 'The least that is needed; the limits where absent.' }),
      claims: list(resourceClaim(), {
        listType: 'map',
        listMapKeys: ['name'],
        description: "Entries of the pod's resourceClaims.",
      }),
    },
    { description: 'How much of each resource is reserved, and how much may be used.' },
  ),
);

export const volumeResourceRequirements = once(() =>
  struct(
    `${CORE}.VolumeResourceRequirements`,
    {
      limits: resourceList(),
      requests: resourceList(),
    },
    { description: 'How much storage is needed, and how much it may be.' },
  ),
);

export const containerResizePolicy = once(() =>
  struct(
    `${CORE}.ContainerResizePolicy`,
    {
      resourceName: text({ default: '', goType: 'v1.ResourceName', description: 'cpu or memory.' }),
      restartPolicy: text({
        default: '',
        goType: 'v1.ResourceResizeRestartPolicy',
        description: 'NotRequired or RestartContainer.',
      }),
    },
    {
      description: 'Whether changing a resource restarts the container.',
      required: ['resourceName', 'restartPolicy'],
    },
  ),
);
