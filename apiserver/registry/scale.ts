/** Writes through `scale`: a Scale is made of the object, changed, and its number put back, with whose it is. */
import { decodeSchema } from '../../schemas/decode.js';
import type { KubeObject, ScalePaths, Subresource } from '../../schemas/definition.js';
import { internal, methodNotAllowed } from '../errors.js';
import {
  type FieldWrite,
  type ManagedFieldsEntry,
  mergeScaleEntries,
  type ReplicasPaths,
  scaleEntries,
} from '../managed-fields/index.js';
import type { RequestContext } from '../request.js';
import { apiVersionOf } from './canonical.js';
import { managerName } from './manager-name.js';
import type { Resource } from './resource.js';
import { scaleUpdate } from './subresources.js';
import type {
  ApplyOptions,
  ScaleChange,
  Update,
  UpdateOptions,
  UpdateResult,
  WriteOptions,
} from './types.js';
import { update } from './update.js';

interface ScaleTarget {
  readonly resource: Resource;
  readonly context: RequestContext;
  readonly namespace: string;
  readonly name: string;
}

/** A changed Scale and whose its number is. */
interface Changed {
  readonly scale: KubeObject;
  readonly managedFields: readonly ManagedFieldsEntry[];
}

/** Throws StatusError 404, 405, 409, 422 and what `change` throws. */
export function updateScale(
  target: ScaleTarget,
  change: ScaleChange,
  options: UpdateOptions,
): Promise<UpdateResult> {
  const write = writeOf(target, options);
  return writeScale(target, options, async (before) => {
    const scale = await change(before);
    return { scale, managedFields: target.resource.fields.update(before, scale, write) };
  });
}

/** Throws StatusError 400, 404, 405, 409, 422 and 500. */
export function applyScale(
  target: ScaleTarget,
  applied: unknown,
  { force, ...options }: ApplyOptions,
): Promise<UpdateResult> {
  const write = { ...writeOf(target, options), force };
  const { schema } = scaleOfResource(target.resource);
  return writeScale(target, options, (before) => {
    const { object, managedFields } = target.resource.fields.apply(before, applied, write);
    if (schema === undefined) throw methodNotAllowed();
    const decoded = decodeSchema<KubeObject>(schema(), object);
    if ('typeError' in decoded) throw internal(decoded.typeError);
    return { scale: decoded.object, managedFields };
  });
}

function writeOf({ resource, context }: ScaleTarget, { fieldManager }: WriteOptions): FieldWrite {
  return { manager: managerName(context, fieldManager), subresource: 'scale', now: resource.now() };
}

function scaleOfResource({ definition }: Resource): Subresource & { readonly scale: ScalePaths } {
  const found = definition.subresources.find(({ name }) => name === 'scale');
  if (found?.scale === undefined) throw methodNotAllowed();
  return { ...found, scale: found.scale };
}

function writeScale(
  { resource, context, namespace, name }: ScaleTarget,
  options: UpdateOptions,
  change: (scale: KubeObject) => Changed | Promise<Changed>,
): Promise<UpdateResult> {
  const { scale: paths } = scaleOfResource(resource);
  const apiVersion = apiVersionOf(resource.definition);
  const replicas: ReplicasPaths = { [apiVersion]: paths.specReplicas };
  const scaled: Update = async (current) => {
    const entries = current?.metadata.managedFields;
    let after: readonly ManagedFieldsEntry[] = [];
    const object = await scaleUpdate(resource.name, paths, async (bare) => {
      const shown = {
        ...bare,
        metadata: { ...bare.metadata, managedFields: scaleEntries(entries, replicas) },
      };
      const { scale, managedFields } = await change(shown);
      after = managedFields;
      return scale;
    })(current);
    const managedFields = mergeScaleEntries(entries, after, apiVersion, replicas);
    return { ...object, metadata: { ...object.metadata, managedFields } };
  };
  return update(resource, context, namespace, name, scaled, {
    ...options,
    subresource: 'scale',
    allowCreate: false,
    fieldsTracked: true,
  });
}
