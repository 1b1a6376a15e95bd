/** The apiVersions in which an object's fields may have been set, and going from one to another. */
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { once } from '../../schemas/fields.js';
import type { Json } from '../../schemas/walk.js';
import { comparedShape, resetFieldsOf, type ResetFields } from './reset-fields.js';
import { shapeOf, type StructShape } from './shape.js';

/** One apiVersion of an object, as writes through one subresource see it. */
export interface Version {
  readonly apiVersion: string;
  readonly kind: string;
  /** As Go prints it: `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`. */
  readonly groupVersionKind: string;
  readonly shape: () => StructShape;
  /** Without what nobody owns, and what does not count in such a write. */
  readonly compared: () => StructShape;
  readonly reset: () => ResetFields;
  /** An empty object as Go prints it: what a new one is compared with. */
  readonly blank: () => Json;
  readonly toStored: (object: Json) => Json;
  readonly fromStored: (object: Json) => Json;
}

/** The versions of an object by apiVersion; the first is that of the write. */
export type Versions = readonly [Version, ...Version[]];

/**
 * Of a resource and subresource. `served` are all resources there are: those that store the same objects are its other
 * versions.
 */
export function versionsOf(
  definition: ResourceDefinition,
  subresource: string,
  served: readonly ResourceDefinition[],
): Versions {
  const found = definition.subresources.find(({ name }) => name === subresource);
  if (found?.kind !== undefined && found.schema !== undefined) {
    return [versionOf({ ...found.kind, schema: found.schema }, () => NOTHING_RESET)];
  }
  const stored = definition.storedAs?.resource ?? definition;
  const others = served.filter(
    (other) => (other.storedAs?.resource ?? other) === stored && other !== definition,
  );
  const own = (one: ResourceDefinition) =>
    versionOf(one, () => resetFieldsOf(one, subresource), one.storedAs);
  const known = others.includes(stored) || stored === definition ? others : [stored, ...others];
  return [own(definition), ...known.map(own)];
}

/** Undefined for one that is not served. */
export function versionAt(versions: Versions, apiVersion: string): Version | undefined {
  for (const version of versions) if (version.apiVersion === apiVersion) return version;
  return undefined;
}

const NOTHING_RESET: ResetFields = { filter: (set) => set, ignored: new Set() };

function versionOf(
  { group, version, kind, schema }: Pick<ResourceDefinition, 'group' | 'version' | 'kind' | 'schema'>,
  resetFields: () => ResetFields,
  storedAs?: ResourceDefinition['storedAs'],
): Version {
  const reset = once(resetFields);
  const shape = once(() => shapeOf(schema()));
  return {
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    groupVersionKind: `${group}/${version}, Kind=${kind}`,
    shape,
    compared: once(() => comparedShape(shape(), reset().ignored)),
    reset,
    blank: once(() => shape().blank()),
    toStored: storedAs === undefined ? same : (object) => storedAs.toStored(object as KubeObject),
    fromStored: storedAs === undefined ? same : (object) => storedAs.fromStored(object as KubeObject),
  };
}

const same = (object: Json): Json => object;

/** An object of one version in another. */
export const convert = (object: Json, from: Version, to: Version): Json =>
  from === to ? object : to.fromStored(from.toStored(object));
