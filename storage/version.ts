/** The etcd whose API this store serves. Clients parse it: from 3.5.13 on kube-apiserver trusts progress requests. */
export const ETCD_VERSION = '3.6.0';
/** Of the format on disk that etcd of that version has, which clients are told. */
export const ETCD_STORAGE_VERSION = '3.6.0';
