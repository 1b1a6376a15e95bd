/** Server-side apply: an update whose new state comes of the present one and of the fields that the client means. */
import { decodeObject } from '../../schemas/decode.js';
import type { KubeObject } from '../../schemas/definition.js';
import type { RequestContext } from '../request.js';
import { managerName } from './manager-name.js';
import type { Resource } from './resource.js';
import type { ApplyOptions, UpdateResult } from './types.js';
import { update } from './update.js';

/** Throws StatusError: 400 for what cannot be applied, 404 through a subresource, 409 with one cause for each conflict. */
export function apply(
  resource: Resource,
  context: RequestContext,
  namespace: string,
  name: string,
  applied: unknown,
  { force, ...options }: ApplyOptions,
): Promise<UpdateResult> {
  const { definition, fields, now } = resource;
  const { subresource = '' } = options;
  const manager = managerName(context, options.fieldManager);
  const merged = (current: KubeObject | undefined): KubeObject => {
    const { object, managedFields } = fields.apply(current, applied, {
      manager,
      subresource,
      now: now(),
      force,
    });
    const decoded = decodeObject(definition, object);
    if ('typeError' in decoded) throw fields.undecodable(applied, subresource, decoded.typeError);
    return { ...decoded.object, metadata: { ...decoded.object.metadata, managedFields: [...managedFields] } };
  };
  return update(resource, context, namespace, name, merged, {
    ...options,
    fieldsTracked: true,
    allowCreate: subresource === '',
  });
}
