/** The etcd whose API this store serves. Clients parse it: from 3.5.13 on kube-apiserver trusts progress requests. */
export const ETCD_VERSION = '3.6.0';
