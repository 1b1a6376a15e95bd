/** Subresources in a kind of their own: `scale` of workloads and `binding` of pods. Pure, but for the write of a binding. */
import type { KubeObject, ObjectMeta, ScalePaths } from '../../schemas/definition.js';
import { type FieldError, notSupported, required } from '../../schemas/field-error.js';
import { scaleStrategy } from '../../schemas/autoscaling/v1/scale.js';
import { badRequest, conflict, type GroupName, internal, invalid } from '../errors.js';
import type { RequestContext } from '../request.js';
import { checkName } from './metadata.js';
import { podCondition, withCondition } from './pod-conditions.js';
import type { Registry, ScaleChange, Update, WriteOptions } from './types.js';

const scaleKind = { group: 'autoscaling', name: 'Scale' };

/** The Scale of an object, with the object's own identity and resourceVersion. */
export function scaleOf(object: KubeObject, paths: ScalePaths): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const metadata = defined({ name, namespace, uid, resourceVersion, creationTimestamp });
  const replicas = numberAt(object, paths.specReplicas);
  const selector = paths.selector(object);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata,
    // Go leaves out a desired number of 0, but not a counted one.
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: numberAt(object, paths.statusReplicas), ...(selector === '' ? {} : { selector }) },
  };
}

/**
 * The update of an object that a write to its `scale` comes to. `resource`: of the object. Throws StatusError 400, 409 or
 * 422 when applied.
 */
export function scaleUpdate(resource: GroupName, paths: ScalePaths, change: ScaleChange): Update {
  return async (current) => {
    if (current === undefined) throw internal('an absent object cannot be scaled');
    const scale = await change(scaleOf(current, paths));
    const { name = '', uid: ownUid = '' } = current.metadata;
    checkName(scale, name);
    const errors = scaleStrategy.validate?.(scale) ?? [];
    if (errors.length > 0) throw invalid(scaleKind, name, errors);
    const { resourceVersion, uid } = scale.metadata;
    if (uid && uid !== ownUid) {
      const subresource = { group: resource.group, name: `${resource.name}/scale` };
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${ownUid}`;
      throw conflict(subresource, name, why);
    }
    const spec = scale['spec'] as { readonly replicas?: number } | undefined;
    const scaled = withValue(current, paths.specReplicas.split('.'), spec?.replicas ?? 0);
    const { resourceVersion: _, ...metadata } = current.metadata;
    return { ...scaled, metadata: { ...metadata, ...defined({ resourceVersion }) } } as KubeObject;
  };
}

const defined = (fields: { readonly [K in keyof ObjectMeta]: ObjectMeta[K] | undefined }): ObjectMeta =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''));

type Fields = Readonly<Record<string, unknown>>;

function numberAt(object: KubeObject, path: string): number {
  let value: unknown = object;
  for (const field of path.split('.')) {
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, field)
        ? (value as Fields)[field]
        : undefined;
  }
  return typeof value === 'number' ? value : 0;
}

/** A copy with one value set; what lies beside the path is shared. */
function withValue(parent: Fields, [field = '', ...rest]: readonly string[], value: unknown): Fields {
  const child = Object.hasOwn(parent, field) ? parent[field] : undefined;
  const inner = rest.length === 0 ? value : withValue((child ?? {}) as Fields, rest, value);
  // A path comes from a definition that a user may have written.
  return field === '__proto__' ? parent : { ...parent, [field]: inner };
}

interface PodSpec {
  readonly nodeName?: string;
  readonly schedulingGates?: readonly unknown[];
}
interface PodStatus {
  readonly nominatedNodeName?: string;
}

/**
 * `pods/binding`: gives a pod to a node. `now` in milliseconds since the epoch. Throws StatusError: 404, 409 when the pod
 * has a node already, 500 with upstream's plain text for a wrong target.
 */
export async function bindPod(
  pods: Registry,
  context: RequestContext,
  namespace: string,
  name: string,
  binding: KubeObject,
  options: WriteOptions & { readonly now: number },
): Promise<void> {
  if (binding.metadata.name !== name) {
    throw badRequest('name in URL does not match name in Binding object');
  }
  const target = (binding['target'] ?? {}) as { readonly kind?: string; readonly name?: string };
  const errors = targetErrors(target);
  if (errors.length > 0) {
    const texts = errors.map(({ field, message }) => `${field}: ${message}`);
    throw internal(texts.length === 1 ? texts.join() : `[${texts.join(', ')}]`);
  }
  const update: Update = (current) => bound(current, name, target.name ?? '', binding.metadata, options.now);
  const { uid } = binding.metadata;
  await pods.update(context, namespace, name, update, {
    ...(options.dryRun === undefined ? {} : { dryRun: options.dryRun }),
    ...(uid ? { preconditions: { uid } } : {}),
    subresource: 'binding',
  });
}

function targetErrors({ kind, name }: { readonly kind?: string; readonly name?: string }): FieldError[] {
  const errors: FieldError[] = [];
  if (kind && kind !== 'Node') errors.push(notSupported('target.kind', kind, ['Node', '<empty>']));
  if (!name) errors.push(required('target.name'));
  return errors;
}

function bound(
  pod: KubeObject | undefined,
  name: string,
  nodeName: string,
  { annotations, labels, resourceVersion }: ObjectMeta,
  now: number,
): KubeObject {
  if (pod === undefined) throw internal('an absent pod cannot be bound');
  const spec = (pod['spec'] ?? {}) as PodSpec;
  const refuse = (why: string) => conflict({ group: '', name: 'pods/binding' }, name, why);
  if (pod.metadata.deletionTimestamp) {
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if (spec.nodeName) throw refuse(`pod ${name} is already assigned to node "${spec.nodeName}"`);
  if ((spec.schedulingGates ?? []).length > 0)
    throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  const { resourceVersion: _, ...metadata } = pod.metadata;
  const { nominatedNodeName: _nominated, ...status } = (pod['status'] ?? {}) as PodStatus;
  const assigned: KubeObject = {
    ...pod,
    metadata: {
      ...metadata,
      ...(labels === undefined ? {} : { labels: { ...metadata.labels, ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...metadata.annotations, ...annotations } }),
      ...(resourceVersion ? { resourceVersion } : {}),
    },
    spec: { ...spec, nodeName },
    status,
  };
  return withCondition(assigned, podCondition('PodScheduled', now));
}
