/** Makes owners and dependents over HTTP and waits for what becomes of them. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Until the Lease of a member that was killed runs out, and some. */
const WAIT_MS_MAX = 60_000;

export interface Metadata {
  readonly name: string;
  readonly uid: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: string[];
  readonly ownerReferences?: object[];
}
export interface Body {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: Metadata;
  readonly spec?: { readonly holderIdentity?: string };
  readonly status?: { readonly phase: string; readonly conditions?: { type: string; message: string }[] };
  readonly message?: string;
}
export interface Answer {
  readonly status: number;
  readonly body: Body;
}

export async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${WAIT_MS_MAX} ms: ${what}`);
    await sleep(20);
  }
}

export const owner = ({ kind, apiVersion, metadata }: Body, blockOwnerDeletion = false) => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid,
  ...(blockOwnerDeletion ? { blockOwnerDeletion } : {}),
});

/** A client of a server's namespace. */
export function clientOf(url: string, namespace = 'default') {
  const ask = async (
    method: string,
    path: string,
    body?: object,
    type = 'application/json',
  ): Promise<Answer> => {
    const response = await fetch(url + path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': type }, body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Body };
  };
  const pathOf = (plural: string, name = ''): string => {
    const group = plural === 'replicasets' || plural === 'deployments' ? '/apis/apps/v1' : '/api/v1';
    return `${group}/namespaces/${namespace}/${plural}${name === '' ? '' : `/${name}`}`;
  };
  const isGone = async (plural: string, name: string) =>
    (await ask('GET', pathOf(plural, name))).status === 404;
  return {
    ask,
    pathOf,
    isGone,
    create: async (plural: string, name: string, owners: object[] = [], more: object = {}): Promise<Body> => {
      const object = { metadata: { name, ownerReferences: owners, ...more }, ...bodies[plural] };
      const { status, body } = await ask('POST', pathOf(plural), object);
      if (status !== 201) throw new Error(`${plural}/${name}: ${JSON.stringify(body)}`);
      return body;
    },
    remove: (plural: string, name: string, options?: object) => ask('DELETE', pathOf(plural, name), options),
    letGo: (plural: string, name: string) =>
      ask('PATCH', pathOf(plural, name), { metadata: { finalizers: null } }, 'application/merge-patch+json'),
    untilGone: (plural: string, name: string) => until(`${plural}/${name} gone`, () => isGone(plural, name)),
  };
}

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'x' }] } };
const bodies: Readonly<Record<string, object>> = {
  pods: { spec: template.spec },
  replicasets: { spec: { selector: { matchLabels: { app: 'a' } }, template } },
  deployments: { spec: { selector: { matchLabels: { app: 'a' } }, template } },
};
