/** What tables show of a pod template. */
import { column } from '../../columns.js';
import type { KubeObject, TableColumn } from '../../definition.js';
import type { PodTemplateSpec } from './pod-template.js';

/** Names and images of a template's containers; shown always, or only in the wide form with `priority: 1`. */
export function containerColumns(
  templateOf: (object: KubeObject) => PodTemplateSpec | undefined,
  options: { readonly priority?: 1 } = {},
): TableColumn[] {
  const joined = (field: 'name' | 'image') => (object: KubeObject) =>
    (templateOf(object)?.spec?.containers ?? []).map((container) => container[field] ?? '').join(',');
  return [
    column('Containers', 'Names of the containers.', joined('name'), options),
    column('Images', 'Images of the containers.', joined('image'), options),
  ];
}
