/** The one store behind every resource. */
import type { KubeObject, ObjectMeta, ResourceDefinition } from '../../schemas/definition.js';
import { invalid, methodNotAllowed, notFound, StatusError } from '../errors.js';
import type { RequestContext } from '../request.js';
import { attributesOf, runAdmission } from './admit.js';
import { apply } from './apply.js';
import { create, warn } from './create.js';
import { remove, removeCollection } from './delete.js';
import { FailedWatcher } from './failed-watcher.js';
import { objectKey, orderOf, scopeOf } from './keys.js';
import { itemsAt, list } from './list.js';
import { reach, readStore, type Resource, storeCall } from './resource.js';
import { applyScale, updateScale } from './scale.js';
import { trackFields } from './track-fields.js';
import type {
  ApplyOptions,
  DeleteOptions,
  DeleteResult,
  ForeignWrite,
  ListOptions,
  ObjectList,
  Registry,
  ScaleChange,
  StoredObject,
  Update,
  UpdateOptions,
  UpdateResult,
  WantedRevision,
  WatchOptions,
  Watcher,
  WriteOptions,
} from './types.js';
import { update } from './update.js';

export class GenericRegistry implements Registry {
  readonly definition: ResourceDefinition;

  constructor(private readonly resource: Resource) {
    this.definition = resource.definition;
  }

  create(context: RequestContext, object: KubeObject, options: WriteOptions = {}): Promise<StoredObject> {
    return create(this.resource, context, object, options);
  }

  async get(
    _context: RequestContext,
    namespace: string,
    name: string,
    options: { readonly resourceVersion?: WantedRevision } = {},
  ): Promise<StoredObject> {
    const instead = await reach(this.resource, options.resourceVersion);
    const key = objectKey(namespace, name);
    const { cache } = this.resource;
    const item = instead === undefined ? cache.get(orderOf(key)) : await readStore(this.resource, key);
    if (item === undefined) throw notFound(this.resource.name, name);
    return item;
  }

  list(_context: RequestContext, namespace: string, options: ListOptions): Promise<ObjectList> {
    return list(this.resource, namespace, options);
  }

  async watch(_context: RequestContext, namespace: string, options: WatchOptions): Promise<Watcher> {
    const { cache } = this.resource;
    if (!cache.isRunning) await storeCall(cache.start());
    try {
      return await this.beginWatch(namespace, options);
    } catch (error) {
      if (error instanceof StatusError) return new FailedWatcher(error);
      throw error;
    }
  }

  private async beginWatch(namespace: string, options: WatchOptions): Promise<Watcher> {
    const {
      resourceVersion: from,
      sendInitialEvents,
      allowBookmarks,
      labels,
      fields,
      timeoutSeconds,
    } = options;
    const initialEvents = sendInitialEvents ?? (from === undefined || from === 0);
    // A watch that goes on behind a revision need not wait until the cache is there.
    const goesOn = from !== undefined && !initialEvents;
    const scope = scopeOf(this.definition.namespaced, namespace, fields.exactName);
    const instead = await reach(this.resource, goesOn ? 0 : from);
    const initialItems =
      instead === undefined || !initialEvents
        ? undefined
        : await itemsAt(this.resource, scope, { labels, fields, limit: 0 }, instead);
    return this.resource.cache.watch({
      scope,
      labels,
      fields,
      after: goesOn && from > 0 ? Number(from) : instead,
      initialEvents,
      initialItems,
      announceEnd: sendInitialEvents === true && allowBookmarks,
      allowBookmarks,
      timeoutSeconds,
    });
  }

  async admit(context: RequestContext, { fieldManager, ...write }: ForeignWrite): Promise<void> {
    const { subresource } = write;
    trackFields(this.resource, context, write.object, undefined, {
      subresource,
      ...(fieldManager === undefined ? {} : { fieldManager }),
    });
    const attributes = attributesOf(this.resource, context, {
      operation: 'CREATE',
      old: undefined,
      ...write,
    });
    await runAdmission(this.resource.admission, 'admit', attributes);
    await runAdmission(this.resource.admission, 'validate', attributes);
  }

  update(
    context: RequestContext,
    namespace: string,
    name: string,
    change: Update,
    options: UpdateOptions = {},
  ): Promise<UpdateResult> {
    return update(this.resource, context, namespace, name, change, options);
  }

  updateScale(
    context: RequestContext,
    namespace: string,
    name: string,
    change: ScaleChange,
    options: UpdateOptions = {},
  ): Promise<UpdateResult> {
    return updateScale({ resource: this.resource, context, namespace, name }, change, options);
  }

  apply(
    context: RequestContext,
    namespace: string,
    name: string,
    applied: unknown,
    options: ApplyOptions,
  ): Promise<UpdateResult> {
    const { resource } = this;
    return options.subresource === 'scale'
      ? applyScale({ resource, context, namespace, name }, applied, options)
      : apply(resource, context, namespace, name, applied, options);
  }

  delete(
    context: RequestContext,
    namespace: string,
    name: string,
    options: DeleteOptions = {},
  ): Promise<DeleteResult> {
    return remove(this.resource, context, namespace, name, options);
  }

  deleteCollection(
    context: RequestContext,
    namespace: string,
    listOptions: ListOptions,
    options: DeleteOptions = {},
  ): Promise<ObjectList> {
    return removeCollection(this.resource, context, namespace, listOptions, options);
  }
}

/** Answers an object of a kind that is never stored: a review, say. */
export type Answer = (context: RequestContext, object: KubeObject) => KubeObject | Promise<KubeObject>;

/** Kinds that are only created and never stored. */
export class VirtualRegistry implements Registry {
  readonly definition: ResourceDefinition;

  constructor(
    private readonly resource: Resource,
    private readonly answer: Answer,
  ) {
    this.definition = resource.definition;
  }

  async create(
    context: RequestContext,
    object: KubeObject,
    options: WriteOptions = {},
  ): Promise<StoredObject> {
    const { strategy } = this.definition;
    forgetSystemFields(object.metadata);
    const { namespace = '', name = '' } = object.metadata;
    strategy.defaults?.(object);
    trackFields(this.resource, context, object, undefined, options);
    const attributes = attributesOf(this.resource, context, {
      operation: 'CREATE',
      namespace,
      name,
      object,
      old: undefined,
      dryRun: options.dryRun === true,
    });
    await runAdmission(this.resource.admission, 'admit', attributes);
    await strategy.prepareForCreate?.(object, context.user, this.resource.now());
    const errors = [...(strategy.validate?.(object) ?? []), ...(strategy.validateCreate?.(object) ?? [])];
    if (errors.length > 0) throw invalid(this.resource.kind, '', errors);
    warn(context, strategy, object, undefined);
    await runAdmission(this.resource.admission, 'validate', attributes);
    const { kind: _kind, apiVersion: _apiVersion, ...fields } = await this.answer(context, object);
    return this.resource.format.unnamed(fields, 0);
  }

  get = refuseMethod;
  list = refuseMethod;
  watch = refuseMethod;
  admit = refuseMethod;
  update = refuseMethod;
  updateScale = refuseMethod;
  apply = refuseMethod;
  delete = refuseMethod;
  deleteCollection = refuseMethod;
}

/** What only the server sets. */
function forgetSystemFields(metadata: ObjectMeta): void {
  delete metadata.uid;
  delete metadata.selfLink;
  delete metadata.creationTimestamp;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
}

/** What a kind that is not stored has no way to do. */
export const refuseMethod = (): Promise<never> => Promise.reject(methodNotAllowed());
