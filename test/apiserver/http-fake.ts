/** A registry without a store, for tests of what is in front of it: objects in a map, changes in a list. */
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { alreadyExists, conflict, expired, notFound } from '../../apiserver/errors.js';
import type { RequestContext } from '../../apiserver/request.js';
import { scaleUpdate } from '../../apiserver/registry/subresources.js';
import type {
  ApplyOptions,
  DeleteOptions,
  DeleteResult,
  ListOptions,
  ObjectList,
  Registry,
  ResourceTable,
  ScaleChange,
  StoredObject,
  Update,
  UpdateResult,
  WatchEvent,
  WatchOptions,
  Watcher,
  WriteOptions,
} from '../../apiserver/registry/types.js';

let revision = 100;

function stored(definition: ResourceDefinition, object: KubeObject, at: number): StoredObject {
  const { kind: _kind, apiVersion: _apiVersion, ...fields } = object;
  const { group, version, kind } = definition;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  fields['metadata'] = { ...object.metadata, resourceVersion: String(at) };
  const header = `{"kind":"${kind}","apiVersion":"${apiVersion}",`;
  const line = Buffer.from(`${header}${JSON.stringify(fields).slice(1)}\n`);
  const json = line.subarray(0, -1);
  const { name = '', namespace = '' } = object.metadata;
  const key = namespace === '' ? name : `${namespace}/${name}`;
  let decoded: KubeObject | undefined;
  return {
    key,
    namespace,
    name,
    revision: at,
    json,
    line,
    headerLength: header.length,
    get object() {
      return (decoded ??= JSON.parse(json.toString()) as KubeObject);
    },
  };
}

class FakeWatcher implements Watcher {
  onReady: (() => void) | undefined;
  readonly queue: WatchEvent[] = [];
  reads = 0;
  closed = false;
  failure: Error | undefined;

  constructor(
    private readonly owner: Set<FakeWatcher>,
    readonly options: WatchOptions,
    readonly namespace: string,
  ) {
    owner.add(this);
  }

  push(event: WatchEvent): void {
    const { labels, fields } = this.options;
    if (event.type !== 'BOOKMARK') {
      if (this.namespace !== '' && event.item.namespace !== this.namespace) return;
      if (!labels.matches(event.item.object) || !fields.matches(event.item.object)) return;
    }
    this.queue.push(event);
    if (this.queue.length === 1) this.onReady?.();
  }

  get isCaughtUp(): boolean {
    return this.queue.length === 0;
  }

  read(max: number): readonly WatchEvent[] {
    this.reads++;
    if (this.queue.length === 0 && this.failure !== undefined) throw this.failure;
    return this.queue.splice(0, max);
  }

  close(): void {
    this.closed = true;
    this.owner.delete(this);
  }
}

export class FakeRegistry implements Registry {
  readonly objects = new Map<string, StoredObject>();
  readonly watchers = new Set<FakeWatcher>();
  /** What the last deletion was given. */
  deleted: DeleteOptions | undefined;
  /** What the last write was given. */
  written: WriteOptions | undefined;
  /** Awaited by every get. */
  delay: Promise<unknown> | undefined;

  constructor(readonly definition: ResourceDefinition) {}

  private get name() {
    return { group: this.definition.group, name: this.definition.plural };
  }

  put(object: KubeObject): StoredObject {
    const item = stored(this.definition, object, ++revision);
    const type = this.objects.has(item.key) ? 'MODIFIED' : 'ADDED';
    this.objects.set(item.key, item);
    for (const watcher of this.watchers) watcher.push({ type, item });
    return item;
  }

  bookmark(initialEventsEnd = false): WatchEvent {
    const empty = { kind: this.definition.kind, apiVersion: 'v1', metadata: {} };
    return { type: 'BOOKMARK', item: stored(this.definition, empty, revision), initialEventsEnd };
  }

  /** Ends every watch as one whose history is gone. */
  expire(): void {
    for (const watcher of this.watchers) {
      watcher.failure = expired('too old resource version: 1 (2)');
      watcher.onReady?.();
    }
  }

  async create(
    _context: RequestContext,
    object: KubeObject,
    options: WriteOptions = {},
  ): Promise<StoredObject> {
    this.written = options;
    const { name = 'generated', namespace = '' } = object.metadata;
    if (this.objects.has(namespace === '' ? name : `${namespace}/${name}`))
      throw alreadyExists(this.name, name);
    object.metadata.uid ??= '00000000-0000-4000-8000-000000000000';
    if (options.dryRun === true) return stored(this.definition, object, ++revision);
    return this.put(object);
  }

  async get(_context: RequestContext, namespace: string, name: string): Promise<StoredObject> {
    if (this.delay !== undefined) await this.delay;
    const item = this.objects.get(namespace === '' ? name : `${namespace}/${name}`);
    if (item === undefined) throw notFound(this.name, name);
    return item;
  }

  async list(_context: RequestContext, namespace: string, options: ListOptions): Promise<ObjectList> {
    const items: StoredObject[] = [];
    for (const item of this.objects.values()) {
      if (namespace !== '' && item.namespace !== namespace) continue;
      if (!options.labels.empty && !options.labels.matches(item.object)) continue;
      if (!options.fields.empty && !options.fields.matches(item.object)) continue;
      items.push(item);
    }
    const { limit } = options;
    if (limit === 0 || items.length <= limit) return { items, revision };
    return {
      items: items.slice(0, limit),
      revision,
      continueToken: 'next',
      remainingItemCount: items.length - limit,
    };
  }

  async watch(_context: RequestContext, namespace: string, options: WatchOptions): Promise<Watcher> {
    const watcher = new FakeWatcher(this.watchers, options, namespace);
    if (options.sendInitialEvents === true) {
      for (const item of this.objects.values()) watcher.push({ type: 'ADDED', item });
      if (options.allowBookmarks) watcher.push(this.bookmark(true));
    }
    return watcher;
  }

  async admit(): Promise<void> {}

  async update(
    context: RequestContext,
    namespace: string,
    name: string,
    update: Update,
    options: WriteOptions = {},
  ): Promise<{ item: StoredObject; created: boolean }> {
    this.written = options;
    const current = await this.get(context, namespace, name);
    const object = await update(current.object);
    const asked = object.metadata.resourceVersion ?? '';
    if (asked !== '' && asked !== String(current.revision)) throw conflict(this.name, name);
    return { item: this.put(object), created: false };
  }

  updateScale(
    context: RequestContext,
    namespace: string,
    name: string,
    change: ScaleChange,
    options: WriteOptions = {},
  ): Promise<UpdateResult> {
    const { scale } = this.definition.subresources.find((subresource) => subresource.name === 'scale') ?? {};
    if (scale === undefined) throw new Error('the resource has no scale');
    return this.update(context, namespace, name, scaleUpdate(this.name, scale, change), options);
  }

  async apply(
    _context: RequestContext,
    _namespace: string,
    _name: string,
    applied: unknown,
    options: ApplyOptions,
  ): Promise<UpdateResult> {
    this.written = options;
    const created = !this.objects.has(`demo/${(applied as KubeObject).metadata.name}`);
    return { item: this.put(applied as KubeObject), created };
  }

  async delete(
    context: RequestContext,
    namespace: string,
    name: string,
    options: DeleteOptions = {},
  ): Promise<DeleteResult> {
    this.deleted = options;
    const item = await this.get(context, namespace, name);
    const removed = (item.object.metadata.finalizers ?? []).length === 0;
    if (removed) {
      this.objects.delete(item.key);
      const last = stored(this.definition, item.object, ++revision);
      for (const watcher of this.watchers) watcher.push({ type: 'DELETED', item: last });
    }
    return { item, removed };
  }

  async deleteCollection(
    context: RequestContext,
    namespace: string,
    list: ListOptions,
    options: DeleteOptions = {},
  ): Promise<ObjectList> {
    this.deleted = options;
    const found = await this.list(context, namespace, list);
    for (const { namespace, name } of found.items) await this.delete(context, namespace, name, options);
    return found;
  }
}

export class FakeTable implements ResourceTable {
  readonly registries: FakeRegistry[];
  readonly listeners = new Set<() => void>();

  constructor(definitions: readonly ResourceDefinition[]) {
    this.registries = definitions.map((definition) => new FakeRegistry(definition));
  }

  find(group: string, version: string, plural: string): FakeRegistry | undefined {
    return this.registries.find(
      ({ definition }) =>
        definition.group === group && definition.version === version && definition.plural === plural,
    );
  }

  findKind(group: string, kind: string): FakeRegistry | undefined {
    return this.registries.find(({ definition }) => definition.group === group && definition.kind === kind);
  }

  all(): readonly FakeRegistry[] {
    return this.registries;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
