/**
 * Who owns whom, by uid. Only objects that own, are owned, or wait for what they own have a node; of them, only what
 * references say. The graph asks no store: it says which nodes are to be looked at, and the collector looks.
 */
import type { OwnerReference } from '../../../schemas/definition.js';
import type { SeenObject } from './metadata.js';
import { type Coordinates, type Followed, Node, type Reference, sameCoordinates as same } from './node.js';

export interface GraphOptions {
  /** Whether the objects of a kind live in namespaces; also true where nobody knows. */
  isNamespaced(coordinates: Coordinates): boolean;
  /** Something about the node, or about one of its owners, has changed that may end in a write. */
  onWork(node: Node): void;
  /** An owner has gone that had dependents. */
  onGone(owner: Node): void;
}

export class Graph {
  private readonly nodes = new Map<string, Node>();

  constructor(private readonly options: GraphOptions) {}

  get size(): number {
    return this.nodes.size;
  }

  get(uid: string): Node | undefined {
    return this.nodes.get(uid);
  }

  /** A watch tells of the object's present state. */
  observe(resource: Followed, object: SeenObject): void {
    let node = this.nodes.get(object.uid);
    if (node === undefined) {
      if (object.uid === '') return;
      if (object.owners.length === 0 && !object.foreground && !object.orphans) return;
      node = this.add(object.uid, coordinatesOf(resource, object), object.namespace);
    }
    this.identify(node, resource, object);
    node.epoch = resource.epoch;
    this.setDeletion(node, object);
    this.setOwners(node, object.owners);
    this.dropIfIdle(node);
  }

  /** The object has been removed, or never was. Its dependents are to be looked at, and owners that waited for it. */
  remove(uid: string): void {
    const node = this.nodes.get(uid);
    if (node === undefined) return;
    this.nodes.delete(uid);
    node.gone = true;
    this.setOwners(node, []);
    if (node.dependents.size > 0) this.options.onGone(node);
    for (const dependent of node.dependents.keys()) this.options.onWork(dependent);
  }

  /** The node's object exists, where `object` says. */
  identify(node: Node, resource: Followed, { namespace, name }: SeenObject): void {
    const known = node.resource;
    node.resource = resource;
    if (known !== undefined) return;
    const { apiVersion, kind } = resource;
    const found = { apiVersion, kind, name };
    if (same(node.coordinates, found) && node.namespace === namespace) return;
    if (!same(node.coordinates, found)) node.coordinates = found;
    node.namespace = namespace;
    for (const dependent of node.dependents.keys()) {
      for (const reference of dependent.owners) {
        if (reference.owner === node) this.check(dependent, reference);
      }
    }
  }

  /** A read has found an owner of the dependent whose node has gone, or has other coordinates. */
  confirm(dependent: Node, resource: Followed, object: SeenObject): void {
    const references = dependent.owners.filter(({ owner }) => owner.uid === object.uid);
    if (dependent.gone || references.length === 0) return;
    const owner =
      this.nodes.get(object.uid) ?? this.add(object.uid, coordinatesOf(resource, object), object.namespace);
    this.identify(owner, resource, object);
    for (const reference of references) reference.owner = owner;
    this.link(dependent, owner, ownersOf(dependent.owners).get(owner));
  }

  /** A watch of the resource has told of everything there is: nodes that it did not name are to be asked for. */
  recheck(resource: Followed): void {
    for (const node of this.nodes.values()) {
      if (node.resource !== resource || node.epoch === resource.epoch) continue;
      node.resource = undefined;
      this.options.onWork(node);
    }
  }

  /** The resource is no longer served: nothing is known of its objects, and nothing is done about them. */
  forget(resource: Followed): void {
    for (const node of this.nodes.values()) {
      if (node.resource !== resource) continue;
      node.resource = undefined;
      this.setOwners(node, []);
      Object.assign(node, { deleting: false, foreground: false, orphans: false });
      if (!this.dropIfIdle(node)) this.options.onWork(node);
    }
  }

  /** The nodes that wait for kinds to be served; none of them waits any more. */
  takeParked(): Node[] {
    const parked = [...this.nodes.values()].filter((node) => node.parked);
    for (const node of parked) node.parked = false;
    return parked;
  }

  private add(uid: string, coordinates: Coordinates, namespace: string): Node {
    const node = new Node(uid, coordinates, namespace);
    this.nodes.set(uid, node);
    return node;
  }

  private setOwners(node: Node, given: readonly OwnerReference[]): void {
    const before = node.owners;
    if (isUnchanged(before, given)) return;
    // What has not changed stays as it is: its owner may have gone long ago.
    const known = new Map(before.map((reference) => [keyOf(reference.owner.uid, reference), reference]));
    const added: Reference[] = [];
    node.owners = given.map((each) => {
      const blocks = each.blockOwnerDeletion === true;
      const same = known.get(keyOf(each.uid, { coordinates: each, blocks }));
      if (same !== undefined) return same;
      const reference = this.refer(node, each, blocks);
      added.push(reference);
      return reference;
    });
    const linked = ownersOf(before);
    const owners = ownersOf(node.owners);
    for (const owner of linked.keys()) if (!owners.has(owner)) this.link(node, owner, undefined);
    for (const [owner, blocks] of owners) {
      if (linked.get(owner) !== blocks) this.link(node, owner, blocks);
      if (owner.foreground && !linked.has(owner)) this.options.onWork(node);
    }
    for (const reference of added) this.check(node, reference);
  }

  private refer(node: Node, { uid, apiVersion, kind, name }: OwnerReference, blocks: boolean): Reference {
    const coordinates = { apiVersion, kind, name };
    let owner = this.nodes.get(uid);
    if (owner === undefined) {
      owner = this.add(uid, coordinates, this.namespaceOf(coordinates, node));
      this.options.onWork(owner);
    }
    return {
      owner,
      coordinates: same(owner.coordinates, coordinates) ? owner.coordinates : coordinates,
      blocks,
    };
  }

  /** A reference that does not fit what is known of its owner is looked at by itself. */
  private check(dependent: Node, reference: Reference): void {
    const { owner, coordinates } = reference;
    const reachable =
      owner.resource === undefined
        ? owner.namespace === this.namespaceOf(coordinates, dependent)
        : owner.namespace === '' || owner.namespace === dependent.namespace;
    if (!reachable || !same(owner.coordinates, coordinates)) this.options.onWork(dependent);
  }

  private namespaceOf(coordinates: Coordinates, dependent: Node): string {
    return this.options.isNamespaced(coordinates) ? dependent.namespace : '';
  }

  private link(dependent: Node, owner: Node, blocks: boolean | undefined): void {
    const blocking = owner.blocking;
    owner.setDependent(dependent, blocks);
    if (owner.foreground && blocking > 0 && owner.blocking === 0) this.options.onWork(owner);
    if (blocks === undefined) this.dropIfIdle(owner);
  }

  private setDeletion(node: Node, { deleting, foreground, orphans }: SeenObject): void {
    const begins = (foreground && !node.foreground) || (orphans && !node.orphans);
    node.deleting = deleting;
    node.foreground = foreground;
    node.orphans = orphans;
    if (!begins) return;
    if (foreground) for (const dependent of node.dependents.keys()) this.options.onWork(dependent);
    this.options.onWork(node);
  }

  /** Nobody would ask for it. */
  private dropIfIdle(node: Node): boolean {
    if (node.owners.length > 0 || node.dependents.size > 0 || node.foreground || node.orphans) return false;
    if (node.gone) return true;
    this.nodes.delete(node.uid);
    node.gone = true;
    return true;
  }
}

const coordinatesOf = ({ apiVersion, kind }: Followed, { name }: SeenObject): Coordinates => ({
  apiVersion,
  kind,
  name,
});

const isUnchanged = (before: readonly Reference[], given: readonly OwnerReference[]): boolean =>
  before.length === given.length &&
  before.every(({ owner, coordinates, blocks }, index) => {
    const reference = given[index];
    return (
      reference?.uid === owner.uid &&
      blocks === (reference.blockOwnerDeletion === true) &&
      same(coordinates, reference)
    );
  });

/** Whom references name, each with whether one of them blocks. */
function ownersOf(references: readonly Reference[]): Map<Node, boolean> {
  const owners = new Map<Node, boolean>();
  for (const { owner, blocks } of references) owners.set(owner, blocks || owners.get(owner) === true);
  return owners;
}

const keyOf = (
  uid: string,
  { coordinates: { apiVersion, kind, name }, blocks }: Pick<Reference, 'coordinates' | 'blocks'>,
): string => `${uid}/${apiVersion}/${kind}/${name}/${blocks}`;
