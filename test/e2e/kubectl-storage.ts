/** Volumes and claims, as whoever runs a cluster's storage meets them. There is no binder: it is played by hand. */
import type { Stories, Story } from './client-stories.js';

const storage: Story = async (user) => {
  await user.send('POST', '/apis/storage.k8s.io/v1/storageclasses', {
    metadata: { name: 'fast' },
    provisioner: 'disks.example.com',
    allowVolumeExpansion: true,
  });
  await user.prints(
    'apply -f -',
    'persistentvolume/disk created\npersistentvolume/shelf created\npersistentvolumeclaim/data created',
    {
      input: `
apiVersion: v1
kind: PersistentVolume
metadata: {name: disk}
spec:
  capacity: {storage: 20Gi}
  accessModes: [ReadWriteOnce, ReadOnlyMany]
  storageClassName: fast
  claimRef: {namespace: storage, name: data}
  csi: {driver: disks.example.com, volumeHandle: disk-1}
  nodeAffinity:
    required:
      nodeSelectorTerms:
        - matchExpressions:
            - {key: topology.kubernetes.io/zone, operator: In, values: [a]}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: shelf}
spec:
  capacity: {storage: 5Gi}
  accessModes: [ReadWriteMany]
  nfs: {server: nas, path: /shelf}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: fast
  volumeName: disk
  resources: {requests: {storage: 20Gi}}
`,
    },
  );
  await user.prints(
    `patch pv disk --subresource=status --type=merge -p '{"status":{"phase":"Bound"}}'`,
    'persistentvolume/disk patched',
  );
  const bound = { phase: 'Bound', capacity: { storage: '20Gi' }, accessModes: ['ReadWriteOnce'] };
  await user.prints(
    `patch pvc data --subresource=status --type=merge -p '${JSON.stringify({ status: bound })}'`,
    'persistentvolumeclaim/data patched',
  );
  await user.prints(
    'get pv -o wide',
    `
      NAME    CAPACITY   ACCESS MODES   RECLAIM POLICY   STATUS    CLAIM          STORAGECLASS   VOLUMEATTRIBUTESCLASS   REASON   AGE«some»VOLUMEMODE
      disk    20Gi       RWO,ROX        Retain           Bound     storage/data   fast           <unset>                          «age»   Filesystem
      shelf   5Gi        RWX            Retain           Pending                                 <unset>                          «age»   Filesystem
    `,
  );
  await user.prints(
    'get pvc',
    `
      NAME   STATUS   VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   VOLUMEATTRIBUTESCLASS   AGE
      data   Bound    disk     20Gi       RWO            fast           <unset>                 «age»
    `,
  );
  await user.prints(
    'describe pv disk',
    `
      Name:              disk
      Labels:            <none>
      Annotations:       <none>
      Finalizers:        [kubernetes.io/pv-protection]
      StorageClass:      fast
      Status:            Bound
      Claim:             storage/data
      Reclaim Policy:    Retain
      Access Modes:      RWO,ROX
      VolumeMode:        Filesystem
      Capacity:          20Gi
      Node Affinity:     
        Required Terms:  
          Term 0:        topology.kubernetes.io/zone in [a]
      Message:           
      Source:
          Type:              CSI (a Container Storage Interface (CSI) volume source)
          Driver:            disks.example.com
          FSType:            
          VolumeHandle:      disk-1
          ReadOnly:          false
          VolumeAttributes:  <none>
      Events:                <none>
    `,
  );
  await user.prints(
    `patch pvc data -p '{"spec":{"resources":{"requests":{"storage":"30Gi"}}}}'`,
    'persistentvolumeclaim/data patched',
  );
  await user.prints('delete pv shelf', 'persistentvolume "shelf" deleted');
  await user.prints('delete pv disk --wait=false', 'persistentvolume "disk" deleted');
  await user.prints(
    'get pv disk',
    `
      NAME   CAPACITY   ACCESS MODES   RECLAIM POLICY   STATUS        CLAIM          STORAGECLASS   VOLUMEATTRIBUTESCLASS   REASON   AGE
      disk   20Gi       RWO,ROX        Retain           Terminating   storage/data   fast           <unset>                          «age»
    `,
  );
  await user.prints(
    `patch pv disk --subresource=status --type=merge -p '{"status":{"phase":"Released"}}'`,
    'persistentvolume/disk patched',
  );
  const gone = await user.run('wait pv/disk --for=delete --timeout=30s');
  user.same(gone.code, 0, 'a volume that is not bound any more goes');
};

export const STORAGE: Stories = { storage };
