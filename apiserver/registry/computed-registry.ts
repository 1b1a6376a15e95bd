/** Kinds that are read and never stored: their objects are made when somebody asks. */
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { internal } from '../errors.js';
import type { RequestContext } from '../request.js';
import { refuseMethod } from './generic-registry.js';
import type { Resource } from './resource.js';
import type { ListOptions, ObjectList, Registry, StoredObject } from './types.js';

/** Makes the objects of one cluster-scoped kind. */
export interface Computed {
  /** Of all objects, in any order. */
  names(): readonly string[];
  /** Undefined: there is none of this name. Its fields in Go's order. */
  object(name: string): Promise<KubeObject | undefined>;
  /** What a request for a name that no object has is told. */
  absent(name: string): string;
}

export class ComputedRegistry implements Registry {
  readonly definition: ResourceDefinition;

  constructor(
    private readonly resource: Resource,
    private readonly computed: Computed,
  ) {
    this.definition = resource.definition;
  }

  async get(_context: RequestContext, _namespace: string, name: string): Promise<StoredObject> {
    const object = await this.computed.object(name);
    // Upstream has no better code for it.
    if (object === undefined) throw internal(this.computed.absent(name));
    return this.resource.format.fromObject(name, object);
  }

  /** All at once, whatever the limit: nobody has more than a few. */
  async list(
    _context: RequestContext,
    _namespace: string,
    { labels, fields }: ListOptions,
  ): Promise<ObjectList> {
    const names = [...this.computed.names()].sort();
    const objects = await Promise.all(names.map((name) => this.computed.object(name)));
    const items = objects
      .filter((object) => object !== undefined)
      .filter((object) => labels.matches(object) && fields.matches(object))
      .map((object) => this.resource.format.fromObject(object.metadata.name ?? '', object));
    return { items, revision: 0 };
  }

  create = refuseMethod;
  watch = refuseMethod;
  admit = refuseMethod;
  update = refuseMethod;
  updateScale = refuseMethod;
  apply = refuseMethod;
  delete = refuseMethod;
  deleteCollection = refuseMethod;
}
