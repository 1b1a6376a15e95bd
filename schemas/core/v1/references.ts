/** Ways in which one object names another. */
import { once, struct, text } from '../../fields.js';

/** What code reads of an ObjectReference. */
export interface ObjectReference {
  kind?: string;
  namespace?: string;
  name?: string;
  uid?: string;
  apiVersion?: string;
  resourceVersion?: string;
  fieldPath?: string;
}

export const objectReference = once(() =>
  struct(
    'io.k8s.api.core.v1.ObjectReference',
    {
      kind: text({ omitEmpty: true }),
      namespace: text({ omitEmpty: true }),
      name: text({ omitEmpty: true }),
      uid: text({ omitEmpty: true }),
      apiVersion: text({ omitEmpty: true }),
      resourceVersion: text({ omitEmpty: true, description: 'The version of the object that is meant.' }),
      fieldPath: text({
        omitEmpty: true,
        description: 'Part of the object that is meant, such as spec.containers{web}.',
      }),
    },
    { description: 'Names an object, or a part of it, of any kind.', mapType: 'atomic' },
  ),
);

export const localObjectReference = once(() =>
  struct(
    'io.k8s.api.core.v1.LocalObjectReference',
    { name: text({ default: '', omitEmpty: true }) },
    { description: 'Names an object of a known kind in the same namespace.', mapType: 'atomic' },
  ),
);

export const secretReference = once(() =>
  struct(
    'io.k8s.api.core.v1.SecretReference',
    { name: text({ omitEmpty: true }), namespace: text({ omitEmpty: true }) },
    { description: 'Names a Secret in any namespace.', mapType: 'atomic' },
  ),
);

export const typedLocalObjectReference = once(() =>
  struct(
    'io.k8s.api.core.v1.TypedLocalObjectReference',
    {
      apiGroup: text({ printsNull: true }),
      kind: text({ default: '' }),
      name: text({ default: '' }),
    },
    { description: 'An object in the same namespace.', required: ['kind', 'name'], mapType: 'atomic' },
  ),
);
