/** The two classes of pods that the system needs. */
import { SYSTEM_PRIORITIES } from '../../schemas/scheduling/v1/priority-class.js';
import type { BootstrapList } from './list.js';

const DESCRIPTIONS = {
  'system-node-critical': 'Used for system critical pods that must not be moved from their current node.',
  'system-cluster-critical':
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
};

export const priorityClassList: BootstrapList = {
  name: 'scheduling/bootstrap-system-priority-classes',
  objects: () =>
    Object.entries(DESCRIPTIONS).map(([name, description]) => ({
      group: 'scheduling.k8s.io',
      plural: 'priorityclasses',
      object: {
        kind: 'PriorityClass',
        apiVersion: 'scheduling.k8s.io/v1',
        metadata: { name },
        value: SYSTEM_PRIORITIES.get(name),
        description,
        preemptionPolicy: 'PreemptLowerPriority',
      },
    })),
};
