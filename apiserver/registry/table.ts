/** The resources being served. Custom resources come and go at run time. */
import type { ResourceDefinition } from '../../schemas/definition.js';
import type { Registry, ResourceTable } from './types.js';

const keyOf = ({ group, version, plural }: ResourceDefinition) => `${group}/${version}/${plural}`;

export class RegistryTable implements ResourceTable {
  private readonly registries = new Map<string, Registry>();
  private readonly listeners = new Set<() => void>();
  private ordered: readonly Registry[] = [];

  find(group: string, version: string, plural: string): Registry | undefined {
    return this.registries.get(`${group}/${version}/${plural}`);
  }

  findKind(group: string, kind: string): Registry | undefined {
    return this.ordered.find(({ definition }) => definition.group === group && definition.kind === kind);
  }

  all(): readonly Registry[] {
    return this.ordered;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Replaces a registry of the same resource in its place, or adds one at the end. Returns the replaced one. */
  put(registry: Registry): Registry | undefined {
    const key = keyOf(registry.definition);
    const replaced = this.registries.get(key);
    this.registries.set(key, registry);
    this.changed();
    return replaced;
  }

  remove(group: string, version: string, plural: string): Registry | undefined {
    const key = `${group}/${version}/${plural}`;
    const removed = this.registries.get(key);
    if (this.registries.delete(key)) this.changed();
    return removed;
  }

  private changed(): void {
    this.ordered = [...this.registries.values()];
    for (const listener of this.listeners) listener();
  }
}
