/** Which resource has the objects of a kind. Custom resources come and go, so the answer holds until the table changes. */
import { apiVersionOf } from '../../registry/canonical.js';
import type { Registry, ResourceTable } from '../../registry/types.js';
import type { Coordinates } from './node.js';

type Kind = Pick<Coordinates, 'apiVersion' | 'kind'>;

const keyOf = ({ apiVersion, kind }: Kind): string => `${apiVersion}/${kind}`;

export class Kinds {
  private registries: ReadonlyMap<string, Registry> | undefined;

  constructor(private readonly table: ResourceTable) {}

  /** Undefined where no such kind is served, or none whose objects can be read. */
  find(kind: Kind): Registry | undefined {
    this.registries ??= new Map(
      this.table
        .all()
        .filter(({ definition }) => definition.verbs.includes('get'))
        .map((registry) => [
          keyOf({ apiVersion: apiVersionOf(registry.definition), kind: registry.definition.kind }),
          registry,
        ]),
    );
    return this.registries.get(keyOf(kind));
  }

  changed(): void {
    this.registries = undefined;
  }
}
