/**
 * Definitions as kube-apiserver keeps them in etcd: in v1beta1 to this day, which says once what all versions have in
 * common. Whoever moves a cluster here brings such values along.
 */
import type { KubeObject } from '../../definition.js';
import type {
  Column,
  Conversion,
  Names,
  SelectableField,
  Spec,
  Version,
} from './custom-resource-definition-schema.js';

type OldColumn = Omit<Column, 'jsonPath'> & { readonly JSONPath?: string };

interface PerVersion {
  readonly subresources?: Version['subresources'];
  readonly additionalPrinterColumns?: readonly OldColumn[];
  readonly selectableFields?: readonly SelectableField[];
}
interface OldVersion extends PerVersion, Omit<Version, keyof PerVersion> {}
interface OldSpec extends PerVersion {
  readonly group?: string;
  readonly version?: string;
  readonly names?: Names;
  readonly scope?: string;
  readonly validation?: Version['schema'];
  readonly versions?: readonly OldVersion[];
  readonly conversion?: {
    readonly strategy?: string;
    readonly webhookClientConfig?: NonNullable<Conversion['webhook']>['clientConfig'];
    readonly conversionReviewVersions?: readonly string[];
  };
  readonly preserveUnknownFields?: boolean;
}

/** A stored object in v1. Others than those of v1beta1 are given back as they are. */
export function fromV1beta1(stored: KubeObject): KubeObject {
  if (stored.apiVersion !== 'apiextensions.k8s.io/v1beta1') return stored;
  return { ...stored, apiVersion: 'apiextensions.k8s.io/v1', spec: specOf(stored['spec'] ?? {}) };
}

function specOf(old: OldSpec): Spec {
  const { group, names, scope, version, conversion, preserveUnknownFields } = old;
  const versions = old.versions ?? (version ? [{ name: version, served: true, storage: true }] : []);
  return {
    ...(group !== undefined && { group }),
    ...(names !== undefined && { names }),
    ...(scope !== undefined && { scope }),
    versions: versions.map((one) => versionOf(one, old)),
    ...(conversion !== undefined && { conversion: conversionOf(conversion) }),
    ...(preserveUnknownFields === true && { preserveUnknownFields }),
  };
}

function versionOf(one: OldVersion, shared: OldSpec): Version {
  const { name = '', served = false, storage = false, deprecated, deprecationWarning } = one;
  const schema = one.schema ?? shared.validation;
  const subresources = one.subresources ?? shared.subresources;
  const columns = one.additionalPrinterColumns ?? shared.additionalPrinterColumns;
  const selectableFields = one.selectableFields ?? shared.selectableFields;
  return {
    name,
    served,
    storage,
    ...(deprecated !== undefined && { deprecated }),
    ...(deprecationWarning !== undefined && { deprecationWarning }),
    ...(schema !== undefined && { schema }),
    ...(subresources !== undefined && { subresources }),
    ...(columns !== undefined && {
      additionalPrinterColumns: columns.map(({ JSONPath = '', ...column }) => ({
        ...column,
        jsonPath: JSONPath,
      })),
    }),
    ...(selectableFields !== undefined && { selectableFields }),
  };
}

function conversionOf(old: NonNullable<OldSpec['conversion']>): Conversion {
  const { strategy = '', webhookClientConfig: clientConfig, conversionReviewVersions } = old;
  if (clientConfig === undefined && conversionReviewVersions === undefined) return { strategy };
  return {
    strategy,
    webhook: {
      ...(clientConfig !== undefined && { clientConfig }),
      conversionReviewVersions: conversionReviewVersions ?? null,
    },
  };
}
