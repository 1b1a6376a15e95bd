/**
 * The generic store of one resource, as the HTTP layer, admission and controllers see it. All errors are StatusError.
 */
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import type { RequestContext } from '../request.js';

/**
 * One object at one revision: serialized once, decoded on first use. Shared by every reader, so never changed.
 */
export interface StoredObject {
  /** `namespace/name`, or `name` for cluster-scoped resources. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  /** The resourceVersion: revision of the change that made it (of a deletion: of the deletion). */
  readonly revision: number;
  /** JSON of the object, beginning with `{"kind":…,"apiVersion":…,"metadata":{` and with its resourceVersion in. */
  readonly json: Buffer;
  /** `json` and a newline behind it, in the same memory: how Go's encoder ends whatever it writes. */
  readonly line: Buffer;
  /** Length of the prefix `{"kind":…,"apiVersion":…,` in bytes: list items are `{` + json.subarray(headerLength). */
  readonly headerLength: number;
  /** Decoded on first use. Frozen by convention: use structuredClone before a change. */
  readonly object: KubeObject;
  /**
   * The object in the one other encoding that it is sent in, made by `encoder` on first use. `keep`: make it once for all who
   * ask, within a bound. Absent where the object is not shared. Throws what the encoder throws.
   */
  encodedBy?(encoder: ObjectEncoder, keep: boolean): Buffer;
}

export interface ObjectEncoder {
  encode(object: KubeObject): Buffer;
}

/**
 * A resourceVersion that a client asks for. A bigint only above 2^53, where no store ever gets, and which refusals tell as
 * it was written.
 */
export type WantedRevision = number | bigint;

export interface ObjectList {
  readonly items: readonly StoredObject[];
  /** resourceVersion of the list. */
  readonly revision: number;
  readonly continueToken?: string;
  readonly remainingItemCount?: number;
}

/** Query options of list, already parsed and validated (parseListOptions). */
export interface ListOptions {
  /** undefined: consistent; 0: whatever is at hand. */
  readonly resourceVersion?: WantedRevision;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  readonly limit: number;
  readonly continueToken?: string;
  readonly labels: Selector;
  readonly fields: Selector;
}

export interface WatchOptions {
  /** undefined: from now, beginning with the present state as ADDED; 0: the same from whatever is at hand; N: after N. */
  readonly resourceVersion?: WantedRevision;
  readonly sendInitialEvents?: boolean;
  readonly allowBookmarks: boolean;
  /** When the watch will be ended; a last bookmark is sent shortly before. */
  readonly timeoutSeconds?: number;
  readonly labels: Selector;
  readonly fields: Selector;
}

/** A parsed label or field selector. */
export interface Selector {
  readonly empty: boolean;
  matches(object: KubeObject): boolean;
  /** The one name it demands (`metadata.name=x`), so that one key is looked up rather than all. */
  readonly exactName?: string;
  toString(): string;
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';

/**
 * One change as one watcher sees it. Changes are shared by all watchers: `change` is the same value for each of them,
 * so that what is serialized from it is made once (cache by `change`, `type` and representation).
 */
export interface WatchEvent {
  readonly type: WatchEventType;
  /** What to send: of DELETED the last state, with the resourceVersion of the deletion. Of BOOKMARK an empty object. */
  readonly item: StoredObject;
  /** Of BOOKMARK: the initial state is complete (annotation k8s.io/initial-events-end). */
  readonly initialEventsEnd?: boolean;
}

/**
 * A pull-based watch: a cursor over shared history. It holds no queue of its own, so a reader that does not read costs
 * nothing; one that falls out of the memory window goes on from the store's history.
 */
export interface Watcher {
  /**
   * Takes the events that are ready, at most `max` of them; empty when there is none now. Bookmarks come here too.
   * Throws the StatusError 410 once when history is gone.
   */
  read(max: number): readonly WatchEvent[];
  /** Called (once for each transition from nothing to something ready). Set before the first read. */
  onReady: (() => void) | undefined;
  /** Everything that the cache has by now has been read. */
  readonly isCaughtUp: boolean;
  close(): void;
}

export interface WriteOptions {
  readonly dryRun?: boolean;
  /** Whose the fields are that this write sets; absent: named after the program that asks. */
  readonly fieldManager?: string;
  /** The object says itself, in its managedFields, who set what. */
  readonly fieldsTracked?: boolean;
}

export interface ApplyOptions extends WriteOptions {
  /** '' or one that is applied to: `status`, `scale`. */
  readonly subresource?: string;
  /** Takes over what other managers have set to other values, which is a conflict otherwise. */
  readonly force: boolean;
}

export interface DeleteOptions {
  readonly dryRun?: boolean;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  /** The old way to ask for Orphan or Background, in place of `propagationPolicy`; a namespace takes false for Foreground. */
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export interface DeleteResult {
  /** The object as it was removed, or as it now waits for its finalizers or grace period. */
  readonly item: StoredObject;
  readonly removed: boolean;
}

export interface UpdateOptions extends WriteOptions {
  /** '' or one whose strategy is used instead of the resource's own. */
  readonly subresource?: string;
  /** Overrides the definition's allowCreateOnUpdate. */
  readonly allowCreate?: boolean;
  /** The object must be the one of this uid, and must be there (409). The uid in a PUT's body is checked in any case. */
  readonly preconditions?: { readonly uid?: string };
}

export interface UpdateResult {
  readonly item: StoredObject;
  readonly created: boolean;
}

/** A subresource in a kind of its own that is created: what admission is asked about. */
export interface ForeignWrite {
  readonly subresource: string;
  readonly namespace: string;
  /** Of the object that has the subresource. */
  readonly name: string;
  /** In the subresource's kind; plugins may change it. */
  readonly object: KubeObject;
  readonly dryRun: boolean;
  readonly fieldManager?: string;
}

/**
 * Gives the new state from the current one. `current` is undefined where the object is absent and the update may
 * create it. May be called again after a conflict with another writer, and throws StatusError to give up. The result may
 * share with `current` what it does not change; the rest is the registry's from here on. It is decoded: field order and
 * types as the schema has them.
 */
export type Update = (current: KubeObject | undefined) => KubeObject | Promise<KubeObject>;

/** Gives the new Scale from the present one: the body of a PUT, or the present one patched. */
export type ScaleChange = (scale: KubeObject) => KubeObject | Promise<KubeObject>;

export interface Registry {
  readonly definition: ResourceDefinition;
  /** The object is ours from here on and may be changed. */
  create(context: RequestContext, object: KubeObject, options?: WriteOptions): Promise<StoredObject>;
  get(
    context: RequestContext,
    namespace: string,
    name: string,
    options?: { readonly resourceVersion?: WantedRevision },
  ): Promise<StoredObject>;
  list(context: RequestContext, namespace: string, options: ListOptions): Promise<ObjectList>;
  watch(context: RequestContext, namespace: string, options: WatchOptions): Promise<Watcher>;
  /**
   * Asks admission, which refuses by throwing, about a write that is carried out elsewhere. The object is then as admission
   * has it, and says in managedFields whose its fields are.
   */
  admit(context: RequestContext, write: ForeignWrite): Promise<void>;
  update(
    context: RequestContext,
    namespace: string,
    name: string,
    update: Update,
    options?: UpdateOptions,
  ): Promise<UpdateResult>;
  /** Through `scale`; the answer is the object itself. */
  updateScale(
    context: RequestContext,
    namespace: string,
    name: string,
    change: ScaleChange,
    options?: UpdateOptions,
  ): Promise<UpdateResult>;
  /**
   * Server-side apply. `applied` is what the body says, not decoded: only the fields in it are meant. Creates the object
   * where it is absent, but not through a subresource.
   */
  apply(
    context: RequestContext,
    namespace: string,
    name: string,
    applied: unknown,
    options: ApplyOptions,
  ): Promise<UpdateResult>;
  delete(
    context: RequestContext,
    namespace: string,
    name: string,
    options?: DeleteOptions,
  ): Promise<DeleteResult>;
  deleteCollection(
    context: RequestContext,
    namespace: string,
    list: ListOptions,
    options?: DeleteOptions,
  ): Promise<ObjectList>;
}

/** The resources being served; changes at run time when custom resources come and go. */
export interface ResourceTable {
  find(group: string, version: string, plural: string): Registry | undefined;
  /** The preferred version's registry of a kind. */
  findKind(group: string, kind: string): Registry | undefined;
  /** In discovery order. */
  all(): readonly Registry[];
  /** Called after every change. Returns an unsubscribe function. */
  onChange(listener: () => void): () => void;
}
