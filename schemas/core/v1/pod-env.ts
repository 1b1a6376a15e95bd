/** Environment variables and where their values come from. */
import type * as z from 'zod';
import { bool, once, struct, text } from '../../fields.js';
import { quantity } from '../../meta/scalars.js';

export type EnvVar = z.infer<ReturnType<typeof envVar>>;
export type EnvFromSource = z.infer<ReturnType<typeof envFromSource>>;
export type ObjectFieldSelector = z.infer<ReturnType<typeof objectFieldSelector>>;
export type ResourceFieldSelector = z.infer<ReturnType<typeof resourceFieldSelector>>;

const CORE = 'io.k8s.api.core.v1';

export const objectFieldSelector = once(() =>
  struct(
    `${CORE}.ObjectFieldSelector`,
    {
      apiVersion: text({ omitEmpty: true }),
      fieldPath: text({ default: '' }),
    },
    { description: 'A field of the pod itself.', required: ['fieldPath'], mapType: 'atomic' },
  ),
);

export const resourceFieldSelector = once(() =>
  struct(
    `${CORE}.ResourceFieldSelector`,
    {
      containerName: text({ omitEmpty: true }),
      resource: text({ default: '' }),
      divisor: quantity({ description: 'Unit of the output; one when absent.' }),
    },
    { description: 'A request or limit of a container.', required: ['resource'], mapType: 'atomic' },
  ),
);

export const configMapKeySelector = once(() =>
  struct(
    `${CORE}.ConfigMapKeySelector`,
    {
      name: text({ default: '', omitEmpty: true }),
      key: text({ default: '' }),
      optional: bool(),
    },
    { description: 'A key of a ConfigMap.', required: ['key'], mapType: 'atomic' },
  ),
);

export const secretKeySelector = once(() =>
  struct(
    `${CORE}.SecretKeySelector`,
    {
      name: text({ default: '', omitEmpty: true }),
      key: text({ default: '' }),
      optional: bool(),
    },
    { description: 'A key of a Secret.', required: ['key'], mapType: 'atomic' },
  ),
);

export const fileKeySelector = once(() =>
  struct(
    `${CORE}.FileKeySelector`,
    {
      volumeName: text({ default: '' }),
      path: text({ default: '' }),
      key: text({ default: '' }),
      optional: bool({ default: false }),
    },
    {
      description: 'A variable in a file of an emptyDir volume.',
      required: ['volumeName', 'path', 'key'],
      mapType: 'atomic',
    },
  ),
);

export const envVarSource = once(() =>
  struct(
    `${CORE}.EnvVarSource`,
    {
      fieldRef: objectFieldSelector(),
      resourceFieldRef: resourceFieldSelector(),
      configMapKeyRef: configMapKeySelector(),
      secretKeyRef: secretKeySelector(),
      fileKeyRef: fileKeySelector(),
    },
    { description: 'Where a value comes from; exactly one field is set.' },
  ),
);

export const envVar = once(() =>
  struct(
    `${CORE}.EnvVar`,
    {
      name: text({ default: '' }),
      value: text({ omitEmpty: true, description: 'May refer to earlier variables as $(NAME).' }),
      valueFrom: envVarSource(),
    },
    { description: 'An environment variable.', required: ['name'] },
  ),
);

export const configMapEnvSource = once(() =>
  struct(
    `${CORE}.ConfigMapEnvSource`,
    {
      name: text({ default: '', omitEmpty: true }),
      optional: bool(),
    },
    { description: 'All keys of a ConfigMap.' },
  ),
);

export const secretEnvSource = once(() =>
  struct(
    `${CORE}.SecretEnvSource`,
    {
      name: text({ default: '', omitEmpty: true }),
      optional: bool(),
    },
    { description: 'All keys of a Secret.' },
  ),
);

export const envFromSource = once(() =>
  struct(
    `${CORE}.EnvFromSource`,
    {
      prefix: text({ omitEmpty: true }),
      configMapRef: configMapEnvSource(),
      secretRef: secretEnvSource(),
    },
    { description: 'Variables from every key of an object.' },
  ),
);
