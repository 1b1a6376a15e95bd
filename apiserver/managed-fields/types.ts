/** What an object says of who set its fields: `metadata.managedFields`. */

/**
 * A set of fields as a tree. Keys are `f:name` for a field or map key, `k:{"port":1}` for an item of a list by its keys,
 * `v:"x"` for an item of a set, `i:0` for one by its place; `.` stands for a member that has members below it too.
 */
export interface FieldsV1 {
  readonly [key: string]: FieldsV1;
}

/** One writer's fields. The order of keys is the one Go prints. */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: 'Apply' | 'Update';
  readonly apiVersion?: string;
  /** RFC 3339 with seconds. */
  readonly time?: string;
  readonly fieldsType?: 'FieldsV1';
  readonly fieldsV1?: FieldsV1;
  readonly subresource?: string;
}

/** Who writes, through what, and when. */
export interface FieldWrite {
  readonly manager: string;
  /** '' for the object itself. */
  readonly subresource: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What server-side apply makes of an object. */
export interface Applied {
  /** The merged object: plain JSON, neither decoded nor defaulted; may share parts with the live and the applied one. */
  readonly object: Record<string, unknown>;
  readonly managedFields: readonly ManagedFieldsEntry[];
  /** Neither the object nor its managedFields changed. */
  readonly unchanged?: boolean;
}

/** The object's fields or its managedFields are not as the schema has them: upstream's text. */
export class FieldsProblem extends Error {}
