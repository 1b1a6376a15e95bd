/** The service account controller: each active namespace has a ServiceAccount `default`, also after it was deleted. */
import type { KubeObject } from '../../schemas/definition.js';
import type { ResourceTable } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { controllerContext } from './context.js';
import type { Controller } from './controller.js';
import { follow } from './follow.js';
import { coreRegistry, getCached, hasReason } from './registries.js';
import { WorkQueue } from './work-queue.js';

const NAME = 'serviceaccount-controller';
const ACCOUNT = 'default';

export const serviceAccountController: Controller = {
  name: NAME,
  async run({ table, logger, signal }) {
    const context = controllerContext('service-account-controller', signal);
    const queue = new WorkQueue({
      signal,
      reconcile: (namespace) => reconcile(table, context, namespace),
      onError: (namespace, error) =>
        logger.warn({ err: error, namespace }, 'cannot make the service account'),
    });
    const onError = (error: unknown) => logger.warn({ err: error }, 'cannot watch service accounts');
    await Promise.all([
      follow({
        registry: coreRegistry(table, 'namespaces'),
        context,
        onEvent: ({ type, item }) => type !== 'DELETED' && queue.add(item.name),
        onError,
      }),
      follow({
        registry: coreRegistry(table, 'serviceaccounts'),
        context,
        onEvent: ({ type, item }) => type === 'DELETED' && item.name === ACCOUNT && queue.add(item.namespace),
        onError,
      }),
    ]);
    await queue.idle();
  },
};

async function reconcile(table: ResourceTable, context: RequestContext, namespace: string): Promise<boolean> {
  const found = await getCached(coreRegistry(table, 'namespaces'), context, '', namespace);
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) return true;
  const accounts = coreRegistry(table, 'serviceaccounts');
  if ((await getCached(accounts, context, namespace, ACCOUNT)) !== undefined) return true;
  const metadata = { name: ACCOUNT, namespace };
  const account: KubeObject = { kind: 'ServiceAccount', apiVersion: 'v1', metadata };
  try {
    await accounts.create(context, account);
  } catch (error) {
    // It is there, or its namespace is going or gone: nothing left to do.
    if (!hasReason(error, 'AlreadyExists', 'NotFound', 'Forbidden')) throw error;
  }
  return true;
}
