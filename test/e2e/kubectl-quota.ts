/** Quotas and limit ranges, as those who share a cluster meet them. */
import type { Stories, Story } from './client-stories.js';

const quota: Story = async (user) => {
  await user.prints('create quota best --hard=pods=2,limits.memory=1Gi', 'resourcequota/best created');
  await user.prints(
    'wait quota/best --for=jsonpath={.status.used.pods}=0 --timeout=30s',
    'resourcequota/best condition met',
  );
  await user.prints('run a --image=x --restart=Never', '', {
    code: 1,
    stderr:
      'Error from server (Forbidden): pods "a" is forbidden: failed quota: best: must specify limits.memory for: a',
  });
  const limits = [{ type: 'Container', default: { memory: '256Mi' }, max: { memory: '512Mi' } }];
  await user.send('POST', '/api/v1/namespaces/quota/limitranges', {
    metadata: { name: 'bounds' },
    spec: { limits },
  });
  await user.prints('run a --image=x', 'pod/a created');
  await user.prints(
    "get pod a -o jsonpath='{.metadata.annotations}'",
    '{"kubernetes.io/limit-ranger":"LimitRanger plugin set: memory request for container a; memory limit for container a"}',
  );
  await user.prints('run b --image=x', 'pod/b created');
  await user.prints('run c --image=x', '', {
    code: 1,
    stderr:
      'Error from server (Forbidden): pods "c" is forbidden: exceeded quota: best, requested: pods=1, used: pods=2, limited: pods=2',
  });
  await user.prints(
    'get quota,limits',
    `
      NAME                 REQUEST     LIMIT                      AGE
      resourcequota/best   pods: 2/2   limits.memory: 512Mi/1Gi   «age»

      NAME                CREATED AT
      limitrange/bounds   «time»
    `,
  );
  await user.prints(
    'describe quota best',
    `
      Name:          best
      Namespace:     quota
      Resource       Used   Hard
      --------       ----   ----
      limits.memory  512Mi  1Gi
      pods           2      2
    `,
  );
  await user.prints(
    'describe limits bounds',
    `
      Name:       bounds
      Namespace:  quota
      Type        Resource  Min  Max    Default Request  Default Limit  Max Limit/Request Ratio
      ----        --------  ---  ---    ---------------  -------------  -----------------------
      Container   memory    -    512Mi  256Mi            256Mi          -
    `,
  );
  await user.prints(
    'describe namespace quota',
    `
      Name:         quota
      Labels:       kubernetes.io/metadata.name=quota
      Annotations:  <none>
      Status:       Active

      Resource Quotas
        Name:          best
        Resource       Used   Hard
        --------       ---    ---
        limits.memory  512Mi  1Gi
        pods           2      2

      Resource Limits
       Type       Resource  Min  Max    Default Request  Default Limit  Max Limit/Request Ratio
       ----       --------  ---  ---    ---------------  -------------  -----------------------
       Container  memory    -    512Mi  256Mi            256Mi          -
    `,
  );
  await user.prints('delete pod a --now', 'pod "a" deleted«1.35: from quota namespace»');
  await user.prints(
    'wait quota/best --for=jsonpath={.status.used.pods}=1 --timeout=30s',
    'resourcequota/best condition met',
  );
  await user.prints('run c --image=x', 'pod/c created');
};

export const QUOTA: Stories = { quota };
