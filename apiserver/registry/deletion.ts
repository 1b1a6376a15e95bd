/** What a deletion does to an object: decided here from the object and the options alone. */
import type { KubeObject, ObjectMeta, ResourceDefinition } from '../../schemas/definition.js';
import { timestamp } from './metadata.js';
import type { DeleteOptions } from './types.js';

const orphanFinalizer = 'orphan';
const foregroundFinalizer = 'foregroundDeletion';

export type Deletion =
  /** Nothing keeps it: it goes at once. */
  | { readonly action: 'remove' }
  /** It is going already, and nothing about that changes. */
  | { readonly action: 'wait' }
  /** It is written as terminating, and goes at once afterwards, or later when its finalizers or grace period allow. */
  | { readonly action: 'mark'; readonly object: KubeObject; readonly thenRemove: boolean };

/** Resources with a `finalize` subresource keep a second list of finalizers in spec, as namespaces do. */
export const hasSpecFinalizers = ({ subresources }: ResourceDefinition): boolean =>
  subresources.some(({ name }) => name === 'finalize');

export function holdsSpecFinalizers(definition: ResourceDefinition, object: KubeObject): boolean {
  if (!hasSpecFinalizers(definition)) return false;
  const spec = object['spec'] as { readonly finalizers?: readonly string[] } | undefined;
  return (spec?.finalizers ?? []).length > 0;
}

/** `now` in milliseconds since the epoch. */
export function decideDeletion(
  definition: ResourceDefinition,
  object: KubeObject,
  options: DeleteOptions,
  now: number,
): Deletion {
  if (hasSpecFinalizers(definition)) {
    if (!object.metadata.deletionTimestamp) return terminate(object, options, now);
    if (holdsSpecFinalizers(definition, object)) return { action: 'wait' };
  }
  const graceful = decideGrace(definition, object, options, now);
  if (graceful === 'pending') return { action: 'wait' };
  const metadata = graceful ?? object.metadata;
  // Objects that expire by themselves are not subject to garbage collection.
  const finalizers =
    definition.timeToLiveSeconds === undefined
      ? finalizersFor(metadata, policyOf(options) ?? defaultPolicy(definition, metadata))
      : (metadata.finalizers ?? []);
  if (graceful !== undefined) {
    const seconds = graceful.deletionGracePeriodSeconds ?? 0;
    return mark(object, { ...graceful, finalizers }, seconds === 0 && finalizers.length === 0);
  }
  if (finalizers.length === 0) return { action: 'remove' };
  return mark(object, { ...markNow(metadata, now), finalizers }, false);
}

const mark = (object: KubeObject, metadata: ObjectMeta, thenRemove: boolean): Deletion => ({
  action: 'mark',
  object: { ...object, metadata },
  thenRemove,
});

/** The first deletion of a namespace: it stays until its content is gone, however few finalizers it has. */
function terminate(object: KubeObject, options: DeleteOptions, now: number): Deletion {
  const status = { ...(object['status'] as Record<string, unknown> | undefined), phase: 'Terminating' };
  const metadata = {
    ...object.metadata,
    deletionTimestamp: timestamp(now),
    finalizers: finalizersFor(
      object.metadata,
      options.orphanDependents === false ? 'Foreground' : policyOf(options),
    ),
  };
  return { action: 'mark', object: { ...object, metadata, status }, thenRemove: false };
}

/**
 * metadata with a grace period on it; undefined where the resource has none or it is over; 'pending' while one runs that
 * these options do not shorten.
 */
function decideGrace(
  { deletionGracePeriod }: ResourceDefinition,
  object: KubeObject,
  options: DeleteOptions,
  now: number,
): ObjectMeta | 'pending' | undefined {
  if (deletionGracePeriod === undefined) return undefined;
  const requested = requestedGrace(options);
  const { metadata } = object;
  if (!metadata.deletionTimestamp) {
    const seconds = deletionGracePeriod(object, requested);
    return {
      ...raised(metadata),
      deletionTimestamp: timestamp(now + goMilliseconds(seconds)),
      deletionGracePeriodSeconds: seconds,
    };
  }
  const running = metadata.deletionGracePeriodSeconds ?? 0;
  if (running === 0) return undefined;
  if (requested === undefined || requested >= running) return 'pending';
  const began = Date.parse(metadata.deletionTimestamp) - goMilliseconds(running);
  return {
    ...metadata,
    deletionTimestamp: timestamp(began + goMilliseconds(requested)),
    deletionGracePeriodSeconds: requested,
  };
}

/** A negative number asks for the shortest period that is not at once; the longest is what is still exact. */
function requestedGrace({ gracePeriodSeconds: asked }: DeleteOptions): number | undefined {
  if (asked === undefined) return undefined;
  return asked < 0 ? 1 : Math.min(asked, Number.MAX_SAFE_INTEGER);
}

/** Longer than the 292 years of Go's durations, a period comes around from the other side. */
const goMilliseconds = (seconds: number): number =>
  seconds < GO_SECONDS_MAX
    ? seconds * 1000
    : Number(BigInt.asIntN(64, BigInt(seconds) * 10n ** 9n) / 10n ** 6n);

const GO_SECONDS_MAX = 9_223_372_036;

/** Terminating without a grace period, for the sake of finalizers. */
function markNow(metadata: ObjectMeta, now: number): ObjectMeta {
  const { deletionTimestamp: before } = metadata;
  const base = before ? metadata : raised(metadata);
  return {
    ...base,
    deletionTimestamp: before && Date.parse(before) <= now ? before : timestamp(now),
    deletionGracePeriodSeconds: 0,
  };
}

/** Those who act on the object shall notice that it is going, as they notice any change of its intent. */
const raised = (metadata: ObjectMeta): ObjectMeta =>
  metadata.generation ? { ...metadata, generation: metadata.generation + 1 } : metadata;

function policyOf({
  propagationPolicy,
  orphanDependents,
}: DeleteOptions): DeleteOptions['propagationPolicy'] {
  if (orphanDependents === undefined) return propagationPolicy;
  return orphanDependents ? 'Orphan' : 'Background';
}

/** Of a deletion that names none, where the object has not got a finalizer that names it. */
function defaultPolicy(
  { orphansByDefault }: ResourceDefinition,
  { finalizers = [] }: ObjectMeta,
): DeleteOptions['propagationPolicy'] {
  if (orphansByDefault === undefined) return undefined;
  const isDecided = finalizers.includes(orphanFinalizer) || finalizers.includes(foregroundFinalizer);
  return isDecided ? undefined : 'Orphan';
}

/** Finalizers after the propagation policy: one of its two is set, or both are taken away, or they stay as they were. */
function finalizersFor(metadata: ObjectMeta, policy: DeleteOptions['propagationPolicy']): string[] {
  const present = metadata.finalizers ?? [];
  if (policy === undefined) return present;
  const wanted = policy === 'Orphan' ? orphanFinalizer : policy === 'Foreground' ? foregroundFinalizer : '';
  const others = present.filter(
    (finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer,
  );
  if (wanted === '') return others;
  return present.includes(wanted) && present.length === others.length + 1 ? present : [...others, wanted];
}
