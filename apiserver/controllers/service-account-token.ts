/**
 * Puts tokens into the Secrets that ask for one: of the type `kubernetes.io/service-account-token`, with the name of a
 * service account in an annotation. They go with that account, and what the account says of them goes with them.
 */
import type { KubeObject } from '../../schemas/definition.js';
import { SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_TOKEN } from '../../schemas/core/v1/secret.js';
import type { LegacyTokenPlan } from '../auth/token-claims.js';
import type { ResourceTable, StoredObject } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { change } from './change.js';
import { systemContext } from './context.js';
import type { Controller } from './controller.js';
import { follow } from './follow.js';
import { coreRegistry, getCached, getStored, ignoring } from './registries.js';
import { WorkQueue } from './work-queue.js';

const SERVICE_ACCOUNT_UID = 'kubernetes.io/service-account.uid';

export interface TokenIssuer {
  issueLegacy(plan: LegacyTokenPlan): Promise<string>;
}

interface Parts {
  readonly table: ResourceTable;
  readonly context: RequestContext;
  readonly issuer: TokenIssuer;
  /** In base64, as a Secret has it. */
  readonly authority: string;
  /** The account of each such Secret that is there, or was and has not been looked at since; by `namespace/name`. */
  readonly accounts: Map<string, string>;
}

/** `authority`: certificates in PEM. */
export const serviceAccountTokenController = (authority: string, issuer: TokenIssuer): Controller => ({
  name: 'serviceaccount-token-controller',
  async run({ table, logger, signal }) {
    const context = systemContext('system:kube-controller-manager', [], signal, 'kube-controller-manager');
    const accounts = new Map<string, string>();
    const parts = { table, context, issuer, authority: base64(authority), accounts };
    const queue = new WorkQueue({
      signal,
      reconcile: (key) => reconcile({ ...parts, context: { ...context, warnings: [] } }, key),
      onError: (secret, error) => logger.warn({ err: error, secret }, 'cannot see to the token in a secret'),
    });
    const onError = (error: unknown) => logger.warn({ err: error }, 'cannot watch secrets or their accounts');
    // What has gone while there was no watch is not told of.
    const onSynced = () => {
      for (const key of accounts.keys()) queue.add(key);
    };
    await Promise.all([
      follow({
        registry: coreRegistry(table, 'secrets'),
        context,
        onEvent({ item }) {
          const account = accountOf(item);
          if (account === undefined) return;
          accounts.set(item.key, account);
          queue.add(item.key);
        },
        onSynced,
        onError,
      }),
      follow({
        registry: coreRegistry(table, 'serviceaccounts'),
        context,
        onEvent({ type, item }) {
          if (type !== 'DELETED') return;
          for (const [key, account] of accounts) {
            if (account === item.name && key.startsWith(`${item.namespace}/`)) queue.add(key);
          }
        },
        onSynced,
        onError,
      }),
    ]);
    await queue.idle();
  },
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const annotation = ({ metadata }: KubeObject, name: string): string => metadata.annotations?.[name] ?? '';

/** Undefined: the Secret asks for no token. Most are not parsed to find that out. */
function accountOf(item: StoredObject): string | undefined {
  if (!item.json.includes(SERVICE_ACCOUNT_TOKEN) || item.object['type'] !== SERVICE_ACCOUNT_TOKEN)
    return undefined;
  return annotation(item.object, SERVICE_ACCOUNT_NAME) || undefined;
}

async function reconcile(parts: Parts, key: string): Promise<boolean> {
  const { table, context, accounts } = parts;
  const [namespace = '', name = ''] = key.split('/');
  const secrets = coreRegistry(table, 'secrets');
  const secret = await getCached(secrets, context, namespace, name);
  if (secret?.['type'] !== SERVICE_ACCOUNT_TOKEN) {
    await forget(parts, { namespace, name: accounts.get(key) ?? '' }, name);
    accounts.delete(key);
    return true;
  }
  const account = await accountFor(parts, secret);
  if (account !== undefined) {
    await fill(parts, secret, account);
  } else {
    const { uid = '' } = secret.metadata;
    await secrets
      .delete(context, namespace, name, { preconditions: { uid } })
      .catch(ignoring('NotFound', 'Conflict'));
  }
  return true;
}

/** The account that the Secret names, by uid too where it does. That there is none, the store itself must say. */
async function accountFor({ table, context }: Parts, secret: KubeObject): Promise<KubeObject | undefined> {
  const registry = coreRegistry(table, 'serviceaccounts');
  const { namespace = '' } = secret.metadata;
  const uid = annotation(secret, SERVICE_ACCOUNT_UID);
  for (const get of [getCached, getStored]) {
    const found = await get(registry, context, namespace, annotation(secret, SERVICE_ACCOUNT_NAME));
    if (found !== undefined && (uid === '' || uid === found.metadata.uid)) return found;
  }
  return undefined;
}

type Data = Readonly<Record<string, string>>;
const dataOf = (secret: KubeObject): Data => (secret['data'] ?? {}) as Data;

/** What somebody has put there stays, but for the authority. */
async function fill(parts: Parts, secret: KubeObject, { metadata: of }: KubeObject): Promise<void> {
  const { table, context, issuer, authority } = parts;
  const present = dataOf(secret);
  if (present['ca.crt'] === authority && present['namespace'] && present['token']) return;
  const { name = '', namespace = '' } = secret.metadata;
  const account = { name: of.name ?? '', uid: of.uid ?? '' };
  const made = present['token'] || base64(await issuer.issueLegacy({ namespace, account, secret: name }));
  const filled = (current: KubeObject): KubeObject => {
    const data = dataOf(current);
    const annotations = { ...current.metadata.annotations, [SERVICE_ACCOUNT_UID]: account.uid };
    return {
      ...current,
      metadata: { ...current.metadata, annotations },
      data: {
        ...data,
        'ca.crt': authority,
        namespace: data['namespace'] || base64(namespace),
        token: data['token'] || made,
      },
    };
  };
  // Of what has come or gone meanwhile an event tells.
  await change(coreRegistry(table, 'secrets'), context, secret.metadata, filled).catch(
    ignoring('NotFound', 'Conflict'),
  );
}

/** A Secret that is gone is none of an account's any more. */
async function forget(
  { table, context }: Parts,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  secret: string,
): Promise<void> {
  const registry = coreRegistry(table, 'serviceaccounts');
  const found = await getCached(registry, context, namespace, name);
  if (found === undefined || !namesSecret(found, secret)) return;
  const without = (current: KubeObject) => {
    const { secrets: _, ...rest } = current;
    const left = secretsOf(current).filter((each) => each.name !== secret);
    return left.length > 0 ? { ...rest, secrets: left } : rest;
  };
  await change(registry, context, found.metadata, without).catch(ignoring('NotFound', 'Conflict'));
}

const secretsOf = (account: KubeObject) =>
  (account['secrets'] ?? []) as readonly { readonly name?: string }[];
const namesSecret = (account: KubeObject, secret: string): boolean =>
  secretsOf(account).some(({ name }) => name === secret);
