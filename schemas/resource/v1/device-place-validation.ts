/** Rules of where devices can be used: on one node, on some or on all, as the slice or each of its devices says. */
import { addAll } from '../../add-all.js';
import type { NodeSelector } from '../../core/v1/pod-scheduling.js';
import { validateNodeSelector } from '../../core/v1/pod-scheduling-validation.js';
import { type FieldError, invalid, required } from '../../field-error.js';
import { validateSubdomain } from './name-validation.js';
import type { Device, ResourceSliceSpec } from './resource-slice-schema.js';

const TRUE_OR_UNSET = 'must be either unset or set to true';

/** Where devices can be used: said by the slice, or by each device. */
interface Place {
  readonly nodeName?: string | undefined;
  readonly nodeSelector?: NodeSelector | undefined;
  readonly allNodes?: boolean | undefined;
}

/** The fields that say so, in upstream's words. */
function placesOf(
  errors: FieldError[],
  { nodeName, nodeSelector, allNodes }: Place,
  path: string,
  options: { readonly emptyName: string; readonly oneTerm: boolean },
): string[] {
  const places: string[] = [];
  if (nodeName === '') errors.push(invalid(`${path}.nodeName`, nodeName, options.emptyName));
  else if (nodeName !== undefined) {
    places.push('`nodeName`');
    addAll(errors, validateSubdomain(nodeName, `${path}.nodeName`));
  }
  if (nodeSelector !== undefined) {
    places.push('`nodeSelector`');
    validateNodeSelector(errors, nodeSelector, `${path}.nodeSelector`);
    const terms = nodeSelector.nodeSelectorTerms ?? [];
    if (options.oneTerm && terms.length !== 1) {
      const why = 'must have exactly one node selector term';
      errors.push(invalid(`${path}.nodeSelector.nodeSelectorTerms`, terms, why));
    }
  }
  if (allNodes === true) places.push('`allNodes`');
  else if (allNodes === false) errors.push(invalid(`${path}.allNodes`, allNodes, TRUE_OR_UNSET));
  return places;
}

/** Rules of what the slice says. */
export function validatePlace(spec: ResourceSliceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const places = placesOf(errors, spec, 'spec', {
    emptyName: 'must be either unset or set to a non-empty string',
    oneTerm: true,
  });
  const { perDeviceNodeSelection: perDevice } = spec;
  if (perDevice === true) places.push('`perDeviceNodeSelection`');
  else if (perDevice === false) {
    errors.push(invalid('spec.perDeviceNodeSelection', perDevice, TRUE_OR_UNSET));
  }
  const why = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  if (places.length === 0) errors.push(required('spec', why));
  else if (places.length > 1) {
    errors.push(invalid('spec', `{${places.join(', ')}}`, `${why}, but multiple fields are set`));
  }
  return errors;
}

/** Rules of what a device says. `placed`: the slice leaves it to its devices. */
export function validateDevicePlace(device: Device, placed: boolean, path: string): FieldError[] {
  const { nodeName, nodeSelector, allNodes } = device;
  if (!placed) {
    if (nodeName === undefined && nodeSelector === undefined && allNodes === undefined) return [];
    const why =
      '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
    return [invalid(path, null, why)];
  }
  const errors: FieldError[] = [];
  const places = placesOf(errors, device, path, { emptyName: 'must not be empty', oneTerm: false });
  const why =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  if (places.length === 0) errors.push(required(path, why));
  else if (places.length > 1) errors.push(invalid(path, `{${places.join(', ')}}`, why));
  return errors;
}
