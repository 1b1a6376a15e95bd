/**
 * References that can never work: the owner is in another namespace. Users are told of them by an Event, as upstream
 * does. The graph keeps no objects that nothing refers to, so they are looked for.
 */
import { randomInt } from 'node:crypto';
import type { KubeObject, OwnerReference } from '../../../schemas/definition.js';
import { everyObjectAtHand } from '../../registry/every-object.js';
import { timestamp } from '../../registry/metadata.js';
import type { Registry } from '../../registry/types.js';
import type { RequestContext } from '../../request.js';
import { getCached } from '../registries.js';
import type { Owner } from './absent-owners.js';
import type { Node } from './node.js';

const COMPONENT = 'garbage-collector-controller';
const REASON = 'OwnerRefInvalidNamespace';
/** Where Events about objects without a namespace are. */
const DEFAULT_NAMESPACE = 'default';
/** Namespaces in which an absent owner is looked for. */
const NAMESPACES_MAX = 500;
/** Events that are being written; others are left out meanwhile, since they only help. */
const WRITING_MAX = 16;
/** In a millisecond. */
const NANOSECONDS = 1_000_000n;

export interface MisplacedOwnersOptions {
  readonly namespaces: Registry;
  readonly events: Registry;
  readonly context: RequestContext;
  readonly onError: (error: unknown) => void;
}

export class MisplacedOwners {
  private writing = 0;

  constructor(private readonly options: MisplacedOwnersOptions) {}

  /** Whether an owner that is not where its dependents are is in another namespace, as the caches have it. */
  async isElsewhere(registry: Registry, { uid, coordinates, namespace }: Owner): Promise<boolean> {
    const { namespaces, context } = this.options;
    const { items } = await namespaces.list(context, '', everyObjectAtHand);
    for (const { name } of items.slice(0, NAMESPACES_MAX)) {
      if (name === namespace) continue;
      const found = await getCached(registry, context, name, coordinates.name);
      if (found?.metadata.uid === uid) return true;
    }
    return false;
  }

  tell(dependent: Node, reference: OwnerReference): void {
    if (this.writing >= WRITING_MAX) return;
    void this.write(eventOf(dependent, reference, Date.now()));
  }

  private async write(event: KubeObject): Promise<void> {
    const { events, context, onError } = this.options;
    this.writing += 1;
    try {
      await events.create({ ...context, warnings: [] }, event);
    } catch (error) {
      if (!context.signal.aborted) onError(error);
    }
    this.writing -= 1;
  }
}

function eventOf(
  { uid, coordinates, namespace }: Node,
  { apiVersion, kind, name, uid: ownerUid }: OwnerReference,
  now: number,
): KubeObject {
  const owner = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${ownerUid}]`;
  const message = `ownerRef ${owner} does not exist in namespace ${JSON.stringify(namespace)}`;
  const at = timestamp(now);
  const eventNamespace = namespace || DEFAULT_NAMESPACE;
  // Nanoseconds in hexadecimal, as client-go names them.
  const suffix = (BigInt(now) * NANOSECONDS + BigInt(randomInt(Number(NANOSECONDS)))).toString(16);
  return {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name: `${coordinates.name}.${suffix}`, namespace: eventNamespace },
    involvedObject: { ...coordinates, uid, ...(namespace === '' ? {} : { namespace }) },
    reason: REASON,
    message,
    source: { component: COMPONENT },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
    type: 'Warning',
    reportingComponent: COMPONENT,
    reportingInstance: '',
  };
}
