/** Objects of one resource in the form of another: events.k8s.io/v1 shows what core/v1 stores. */
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { ItemFormat, type StoredItem } from './stored-item.js';

export class ConvertedFormat extends ItemFormat {
  constructor(
    private readonly conversion: NonNullable<ResourceDefinition['storedAs']>,
    private readonly stored: ItemFormat,
    ...[definition, pools, slab]: ConstructorParameters<typeof ItemFormat>
  ) {
    super(definition, pools, slab);
  }

  override toValue(object: KubeObject): Buffer {
    return this.stored.toShown(this.conversion.toStored(object));
  }

  override fromValue(key: string, value: Uint8Array, revision: number, kept = false): StoredItem {
    const stored = JSON.parse(this.stored.fromValue(key, value, 0).json.toString()) as KubeObject;
    return this.fromShown(key, this.toShown(this.conversion.fromStored(stored)), revision, kept);
  }
}
