/** Says in the status of each FlowSchema whether its priority level exists. Upstream's API server does it by itself. */
import type { KubeObject } from '../../schemas/definition.js';
import { conditionsOf, FLOW_CONTROL_GROUP } from '../../schemas/flowcontrol/v1/conditions.js';
import { specOf } from '../../schemas/flowcontrol/v1/flow-schema-schema.js';
import { everyObjectAtHand } from '../registry/every-object.js';
import { timestamp } from '../registry/metadata.js';
import type { Registry } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { systemContext } from './context.js';
import type { Controller } from './controller.js';
import { follow } from './follow.js';
import { getCached, hasReason, registryOf } from './registries.js';
import { WorkQueue } from './work-queue.js';

const MANAGER = 'api-priority-and-fairness-config-consumer-v1';
const TYPE = 'Dangling';
/** Writes at the same time, which share the store's commits: as many as there are from the start. */
const WORKERS = 16;

export const flowSchemaStatus: Controller = {
  name: 'priority-and-fairness-config-consumer',
  async run({ table, logger, signal }) {
    const schemas = registryOf(table, FLOW_CONTROL_GROUP, 'flowschemas');
    const levels = registryOf(table, FLOW_CONTROL_GROUP, 'prioritylevelconfigurations');
    const context = systemContext('system:apiserver', ['system:masters'], signal);
    const queue = new WorkQueue({
      signal,
      workers: WORKERS,
      reconcile: (name) => reconcile(schemas, levels, context, name),
      onError: (name, error) =>
        logger.warn({ err: error, flowSchema: name }, 'cannot write the status of a flow schema'),
    });
    const onError = (error: unknown) => logger.warn({ err: error }, 'cannot watch flow schemas');
    /** Those that belong to a level which has come or gone. */
    const addOf = async (level: string): Promise<void> => {
      const { items } = await schemas.list(context, '', everyObjectAtHand);
      for (const { name, object } of items) if (levelOf(object) === level) queue.add(name);
    };
    await Promise.all([
      follow({
        registry: schemas,
        context,
        onEvent: ({ type, item }) => type !== 'DELETED' && queue.add(item.name),
        onError,
      }),
      follow({
        registry: levels,
        context,
        onEvent: ({ type, item }) => {
          if (type === 'ADDED' || type === 'DELETED') void addOf(item.name).catch(onError);
        },
        onError,
      }),
    ]);
    await queue.idle();
  },
};

const levelOf = (schema: KubeObject): string => specOf(schema).priorityLevelConfiguration?.name ?? '';

interface DanglingCondition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
}

/** True as nothing is left to do. */
async function reconcile(
  schemas: Registry,
  levels: Registry,
  context: RequestContext,
  name: string,
): Promise<boolean> {
  const schema = await getCached(schemas, context, '', name);
  if (schema === undefined) return true;
  const level = levelOf(schema);
  const isThere = (await getCached(levels, context, '', level)) !== undefined;
  const wanted = {
    type: TYPE,
    status: isThere ? 'False' : 'True',
    reason: isThere ? 'Found' : 'NotFound',
    message: `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} ${
      isThere ? 'and it exists' : 'but there is no such object'
    }`,
  };
  const present: DanglingCondition | undefined = conditionsOf(schema).find(({ type }) => type === TYPE);
  if (
    present?.status === wanted.status &&
    present.reason === wanted.reason &&
    present.message === wanted.message
  ) {
    return true;
  }
  const lastTransitionTime = timestamp(Date.now());
  const { kind, apiVersion } = schema;
  const status = { conditions: [{ ...wanted, lastTransitionTime }] };
  try {
    await schemas.apply(
      context,
      '',
      name,
      { kind, apiVersion, metadata: { name }, status },
      { subresource: 'status', fieldManager: MANAGER, force: true },
    );
  } catch (error) {
    // It has gone meanwhile.
    if (!hasReason(error, 'NotFound')) throw error;
  }
  return true;
}
