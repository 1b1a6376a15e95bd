/**
 * What a resource is: the value from which the registry, discovery, OpenAPI, tables, patches and protobuf derive.
 * Built-in kinds are made in this folder; custom resources will be made at run time from their definitions.
 */
import type * as z from 'zod';
import type { FieldError } from './field-error.js';

/** metadata as every object carries it. Unknown-free after decoding. */
export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  selfLink?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string | null;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: unknown[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** Any object of the API, decoded. Treated as immutable once stored. */
export interface KubeObject {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

export interface TableColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** `name` marks the column that names the object. */
  readonly format: '' | 'name';
  /** 0 is always shown, 1 only in the wide form. */
  readonly priority: 0 | 1;
  readonly description: string;
  /** The cell of one object. `now` in milliseconds since the epoch. */
  readonly cell: (object: KubeObject, now: number) => unknown;
}

export interface TableRowCondition {
  readonly type: 'Completed';
  readonly status: 'True';
  readonly reason: string;
  readonly message: string;
}

/** Who makes a request, for kinds that keep it. */
export interface Requester {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** What happens to an object on its way to the store, beside the rules that hold for every object. */
export interface Strategy {
  /**
   * Sets what is absent and has a default, as upstream's defaulting does; also the zero values that Go always prints. `now`:
   * of a write, in milliseconds since the epoch, for the few defaults that are times.
   */
  defaults?(object: KubeObject, now?: number): void;
  /**
   * Clears what a client may not set on create (status), after defaults, before validation. A promise only where there is
   * something to wait for; it does not reject. `now` as for `defaults`.
   */
  prepareForCreate?(object: KubeObject, requester: Requester, now: number): void | Promise<void>;
  /** Carries over from `old` what this write may not change (status), before validation. `now` as for `defaults`. */
  prepareForUpdate?(object: KubeObject, old: KubeObject, now: number): void;
  /** Everything but metadata, which is validated alike for all. */
  validate?(object: KubeObject): FieldError[];
  /** Rules of create alone. Runs after `validate`. */
  validateCreate?(object: KubeObject): FieldError[];
  /** What may not change, and rules that need both. Runs after `validate`. */
  validateUpdate?(object: KubeObject, old: KubeObject): FieldError[];
  /** Warnings for the client, without the `299 - ` prefix. */
  warnings?(object: KubeObject, old?: KubeObject): string[];
}

export interface Subresource {
  /** `status`, `scale`, `finalize`, `binding`, `eviction`, … */
  readonly name: string;
  /** Kind of its bodies, when it is not the resource's own: Scale of autoscaling/v1, Binding of v1, … */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
  readonly verbs: readonly Verb[];
  /** Of bodies in another kind. */
  readonly schema?: () => z.ZodType;
  /** Strategy of writes through `status` and `finalize`, in place of the resource's own. */
  readonly strategy?: Strategy;
  /** Of `scale`: where in the resource the three numbers and the selector are. */
  readonly scale?: ScalePaths;
  /** As at the resource, of writes through this subresource; absent: `spec` of `status`, else none. */
  readonly resetFields?: readonly string[];
  /**
   * In place of resetFields: the only fields that writes through this subresource can set, as dotted paths in which `*`
   * stands for every item.
   */
  readonly settableFields?: readonly string[];
}

/** Dotted paths into the resource. */
export interface ScalePaths {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  /** Gives the label selector as a string, for `status.selector`. */
  readonly selector: (object: KubeObject) => string;
}

export interface ResourceDefinition {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  /** Below /registry/: `configmaps`, `services/specs`, `minions`. */
  readonly etcdPrefix: string;
  /** Seconds after which the store drops an object by itself (events: 3600). */
  readonly timeToLiveSeconds?: number;
  /** One short sentence for OpenAPI and `kubectl explain`. */
  readonly description: string;
  /** zod schema of the whole object, built on first use. */
  readonly schema: () => z.ZodType;
  readonly strategy: Strategy;
  readonly subresources: readonly Subresource[];
  readonly columns: readonly TableColumn[];
  /** What is said of an object's row beside its cells: that the object is done, and how it ended. */
  readonly rowConditions?: (object: KubeObject) => readonly TableRowCondition[];
  /** Order of the rows of a list's table, as Array.sort takes it; absent: of the list itself, by name. */
  readonly rowOrder?: (a: KubeObject, b: KubeObject) => number;
  /** Field selectors beside metadata.name and metadata.namespace, each with how to read it. */
  readonly selectableFields: Readonly<Record<string, (object: KubeObject) => string>>;
  /**
   * How a field selector that is not among them is refused. With field labels of their own, kinds say
   * `field label not supported: x` (and cluster-scoped ones do not know metadata.namespace either); the others say
   * `"x" is not a known field selector: only "metadata.name", "metadata.namespace"`. Jobs say
   * `field label "x" not supported for batchv1.Job` and resource slices `field label not supported for …: x`, which are the
   * names given here.
   */
  readonly ownFieldLabels?: true | 'batchv1.Job' | 'resource.k8s.io/v1, Kind=ResourceSlice';
  /** Problems with a name (or a generateName prefix), each an English phrase; empty when it is good. */
  readonly validateName: (name: string, prefix: boolean) => string[];
  /** metadata.generation starts at 1 and rises when `spec` changes. */
  readonly generation: boolean;
  /** A change of these raises metadata.generation too (annotations: Deployment; labels: EndpointSlice). */
  readonly generationCounts?: 'annotations' | 'labels';
  /** The kind that 422 messages name, where it is not `kind`: '' for SelfSubjectAccessReview. */
  readonly errorKind?: string;
  /**
   * Fields that a plain write cannot set, as dotted paths: managedFields does not count them as its writer's. Absent:
   * `status` where there is such a subresource.
   */
  readonly resetFields?: readonly string[];
  /** A PUT without resourceVersion overwrites whatever is there. False for Lease, for one. */
  readonly allowUnconditionalUpdate: boolean;
  /** A PUT of an absent object creates it (Lease, Event, Node status updates do not). */
  readonly allowCreateOnUpdate: boolean;
  /** What every request is warned of: `v1 Endpoints is deprecated in v1.33+; …`. */
  readonly deprecation?: string;
  /** A deletion answers with the object as it last was, and not with a Status (Pod, Service, ServiceAccount). */
  readonly returnsDeletedObject?: boolean;
  /**
   * A deletion that does not say what becomes of the objects that this one owns leaves them, and does not remove them
   * (Job, ReplicationController); the warning, if any, tells who asked for it.
   */
  readonly orphansByDefault?: { readonly warning?: string };
  /** Grace period of a deletion in seconds, by object and what the client asked for; absent: deleted at once. */
  readonly deletionGracePeriod?: (object: KubeObject, requested: number | undefined) => number;
  /**
   * Another form of another resource's objects, which are stored as that resource has them: written through `toStored`,
   * shown through `fromStored`. Neither changes its argument, and both may share parts of it.
   */
  readonly storedAs?: {
    readonly resource: ResourceDefinition;
    readonly toStored: (object: KubeObject) => KubeObject;
    readonly fromStored: (stored: KubeObject) => KubeObject;
  };
  /**
   * Of what a real kube-apiserver has stored in another version of the kind, and in another shape: the object in this
   * one. Gives back its argument where that is of this version.
   */
  readonly fromForeign?: (stored: KubeObject) => KubeObject;
  /** The version that kube-apiserver stores, where it is not this one: discovery tells it by a hash. */
  readonly storageVersion?: string;
  /** Kinds that store nothing: that are only created and answered (SelfSubjectAccessReview), or only read (ComponentStatus). */
  readonly virtual?: boolean;
}
