/** Who set which field of an object: metadata.managedFields, and server-side apply. */
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { StatusError } from '../errors.js';

/** In the order in which Go prints it. */
export interface ManagedFieldsEntry {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  time?: string;
  fieldsType?: 'FieldsV1';
  fieldsV1?: unknown;
  subresource?: string;
}

export interface FieldWrite {
  readonly manager: string;
  /** '' for the object itself. */
  readonly subresource: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export class FieldManager {
  constructor(readonly definition: ResourceDefinition) {}

  update(
    _live: KubeObject | undefined,
    _next: KubeObject,
    _write: FieldWrite,
  ): readonly ManagedFieldsEntry[] {
    return [];
  }

  apply(
    _live: KubeObject | undefined,
    _applied: unknown,
    _write: FieldWrite & { readonly force: boolean },
  ): { object: Record<string, unknown>; managedFields: readonly ManagedFieldsEntry[] } {
    throw new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  }
}
