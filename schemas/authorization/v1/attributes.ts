/** What an access review asks about. */
import { list, once, struct, text } from '../../fields.js';
import { labelSelectorRequirement } from '../../meta/v1.js';

const fieldSelectorRequirement = once(() =>
  struct(
    'io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement',
    {
      key: text({ default: '' }),
      operator: text({ default: '', description: 'In, NotIn, Exists or DoesNotExist.' }),
      values: list(text(), { listType: 'atomic', description: 'For In and NotIn.' }),
    },
    { description: 'One condition on a field.', required: ['key', 'operator'] },
  ),
);

const fieldSelectorAttributes = once(() =>
  struct(
    'io.k8s.api.authorization.v1.FieldSelectorAttributes',
    {
      rawSelector: text({ omitEmpty: true, description: 'As a query string holds it.' }),
      requirements: list(fieldSelectorRequirement(), { listType: 'atomic' }),
    },
    { description: 'A field selector, in one of two forms.' },
  ),
);

const labelSelectorAttributes = once(() =>
  struct(
    'io.k8s.api.authorization.v1.LabelSelectorAttributes',
    {
      rawSelector: text({ omitEmpty: true, description: 'As a query string holds it.' }),
      requirements: list(labelSelectorRequirement(), { listType: 'atomic' }),
    },
    { description: 'A label selector, in one of two forms.' },
  ),
);

export const resourceAttributes = once(() =>
  struct(
    'io.k8s.api.authorization.v1.ResourceAttributes',
    {
      namespace: text({ omitEmpty: true, description: 'Empty for all, or for cluster-scoped resources.' }),
      verb: text({ omitEmpty: true, description: 'A verb of the API, or * for all.' }),
      group: text({ omitEmpty: true }),
      version: text({ omitEmpty: true }),
      resource: text({ omitEmpty: true }),
      subresource: text({ omitEmpty: true }),
      name: text({ omitEmpty: true, description: 'Empty for all.' }),
      fieldSelector: fieldSelectorAttributes(),
      labelSelector: labelSelectorAttributes(),
    },
    { description: 'A request for a resource.' },
  ),
);

export const nonResourceAttributes = once(() =>
  struct(
    'io.k8s.api.authorization.v1.NonResourceAttributes',
    { path: text({ omitEmpty: true }), verb: text({ omitEmpty: true }) },
    { description: 'A request for a path that is no resource.' },
  ),
);
