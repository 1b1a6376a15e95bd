/** The Table shape of meta.k8s.io: what `kubectl get` prints. */
import type { ResourceDefinition } from '../../schemas/definition.js';
import { badRequest } from '../errors.js';
import type { StoredObject } from '../registry/types.js';

export type IncludeObject = 'Metadata' | 'Object' | 'None';

/** Throws StatusError 400. */
export function parseIncludeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? '';
  if (value === '') return 'Metadata';
  if (value === 'Metadata' || value === 'Object' || value === 'None') return value;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** Of a definition all that it takes to show an object; some subresources have a kind and columns of their own. */
export type Shown = Pick<
  ResourceDefinition,
  'columns' | 'group' | 'kind' | 'rowConditions' | 'rowOrder' | 'version'
>;

const columnTexts = new WeakMap<Shown, string>();

/** columnDefinitions as JSON, made once for each resource. */
export function columnsJson(definition: Shown): string {
  let text = columnTexts.get(definition);
  if (text === undefined) {
    text = JSON.stringify(
      definition.columns.map(({ name, type, format, description, priority }) => ({
        name,
        type,
        format,
        description,
        priority,
      })),
    );
    columnTexts.set(definition, text);
  }
  return text;
}

export interface RowOptions {
  readonly includeObject: IncludeObject;
  /** v1 or v1beta1 of meta.k8s.io. */
  readonly version: string;
  /** Milliseconds since the epoch, from which ages count. */
  readonly now: number;
}

/** One row as JSON. */
export function rowJson(item: StoredObject, definition: Shown, options: RowOptions): string {
  const cells = definition.columns.map((column) => column.cell(item.object, options.now) ?? null);
  const conditions = definition.rowConditions?.(item.object) ?? [];
  const more = conditions.length === 0 ? '' : `"conditions":${JSON.stringify(conditions)},`;
  return `{"cells":${JSON.stringify(cells)},${more}"object":${rowObject(item, options)}}`;
}

/** The row of a bookmark: of an object in which nothing is set, not even its name, but how far the watch has come. */
export function bookmarkRowJson(
  item: StoredObject,
  definition: ResourceDefinition,
  options: RowOptions,
): string {
  const { object } = item;
  const unnamed = { ...object, metadata: { name: '', ...object.metadata } };
  const cells = definition.columns.map((column) => column.cell(unnamed, options.now) ?? null);
  return `{"cells":${JSON.stringify(cells)},"object":${rowObject(item, options)}}`;
}

function rowObject(item: StoredObject, { includeObject, version }: RowOptions): string {
  if (includeObject === 'None') return 'null';
  if (includeObject === 'Object') return item.json.toString();
  return partialJson(item.object.metadata, version);
}

export const partialJson = (metadata: object, version: string): string =>
  `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(metadata)}}`;

/** The beginning of a Table up to its rows; `columns` only where the client has not seen them. */
export const tableHead = (version: string, metadata: object, columns: string | undefined): string =>
  `{"kind":"Table","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(metadata)},` +
  `"columnDefinitions":${columns ?? 'null'},"rows":[`;
