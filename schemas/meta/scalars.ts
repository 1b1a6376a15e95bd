/** Scalars that have an OpenAPI definition, and a way of printing themselves, of their own. */
import * as z from 'zod';
import { type FieldMeta, scalar } from '../fields.js';

/** `500m`, `1Gi`, `2`: an amount with a suffix. Decoding makes text of numbers too, in the form Go prints: quantity.ts. */
export const quantity = (meta: FieldMeta = {}) =>
  scalar(
    z.union([z.string(), z.number()]) as z.ZodType as z.ZodType<string>,
    'io.k8s.apimachinery.pkg.api.resource.Quantity',
    meta,
  );

/** A port by number or name, a count or a percentage. */
export const intOrString = (meta: FieldMeta = {}) =>
  scalar(z.union([z.int32(), z.string()]), 'io.k8s.apimachinery.pkg.util.intstr.IntOrString', {
    ...meta,
    format: 'int-or-string',
  });

/** RFC 3339 with seconds, in UTC when printed. */
export const time = (meta: FieldMeta = {}) =>
  scalar(z.string(), 'io.k8s.apimachinery.pkg.apis.meta.v1.Time', { ...meta, format: 'date-time' });

/** RFC 3339 with microseconds, in UTC when printed. */
export const microTime = (meta: FieldMeta = {}) =>
  scalar(z.string(), 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime', { ...meta, format: 'date-time' });

/** An object of any kind, kept as it came. */
export const rawExtension = (meta: FieldMeta = {}) =>
  scalar(z.unknown(), 'io.k8s.apimachinery.pkg.runtime.RawExtension', { ...meta, anyValue: true });
