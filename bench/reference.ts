/**
 * What kube-apiserver 1.36.2 with etcd 3.5.30 did on the 2-core reference machine: one node, durable writes, HTTPS with
 * HTTP/1.1 keep-alive, one load thread. Operations a second by number of clients.
 */
export type Rates = Readonly<Record<number, number>>;

export const kubernetes: Readonly<Record<string, Rates>> = {
  create: { 1: 232, 16: 567, 64: 758 },
  get: { 1: 783, 16: 1220, 64: 1643 },
  'list of 500': { 1: 44 },
  'list of 9,400': { 1: 3 },
};

/** How many times as fast the aim is. */
export const aims: Readonly<Record<string, Rates>> = {
  create: { 1: 3.5, 16: 5, 64: 3.5 },
  get: { 1: 3.5, 16: 5, 64: 3.5 },
  'list of 500': { 1: 10 },
  'list of 9,400': { 1: 5 },
};

export const kubernetesStartMs = 4200;
export const kubernetesIdleMb = 320;
