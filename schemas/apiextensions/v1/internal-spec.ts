/**
 * A definition as upstream's internal structs hold it, which is what its refusals speak of: what all versions have in
 * common stands once, above them (`spec.validation` in place of `spec.versions[0].schema`).
 */
import type {
  Column,
  SelectableField,
  Spec,
  Subresources,
  Version,
} from './custom-resource-definition-schema.js';
import { versionsOf } from './custom-resource-definition-schema.js';

export interface InternalSpec {
  /** The name of the first version. */
  readonly version: string;
  readonly validation: Version['schema'];
  readonly subresources: Subresources | undefined;
  readonly additionalPrinterColumns: readonly Column[];
  readonly selectableFields: readonly SelectableField[];
  /** Without what stands above. */
  readonly versions: readonly Version[];
}

const PER_VERSION = ['subresources', 'schema', 'additionalPrinterColumns', 'selectableFields'] as const;

export function internalSpec(spec: Spec): InternalSpec {
  const all = versionsOf(spec);
  const [first = {}] = all;
  const common = new Set(
    PER_VERSION.filter((field) => {
      const value = JSON.stringify(first[field]);
      return all.every((version) => JSON.stringify(version[field]) === value);
    }),
  );
  if (!common.has('schema')) common.delete('selectableFields');
  const shared = <F extends (typeof PER_VERSION)[number]>(field: F): Version[F] | undefined =>
    common.has(field) ? first[field] : undefined;
  const versions = all.map((version) => {
    const own = Object.entries(version).filter(([field]) => !(common as Set<string>).has(field));
    return Object.fromEntries(own) as Version;
  });
  return {
    version: first.name ?? '',
    validation: shared('schema'),
    subresources: shared('subresources'),
    additionalPrinterColumns: shared('additionalPrinterColumns') ?? [],
    selectableFields: shared('selectableFields') ?? [],
    versions,
  };
}
