/** How to look into a schema written with fields.ts. */
import type * as z from 'zod';

/** A parsed JSON object. */
export type Json = Record<string, unknown>;

/** What a zod schema says of itself, for the types that fields.ts uses. */
export type SchemaDef =
  | { readonly type: 'object'; readonly shape: Readonly<Record<string, z.ZodType>> }
  | { readonly type: 'array'; readonly element: z.ZodType }
  | { readonly type: 'record'; readonly valueType: z.ZodType }
  | { readonly type: 'optional'; readonly innerType: z.ZodType }
  | { readonly type: 'string' | 'boolean' | 'number' | 'union' | 'unknown' };

export const defOf = (schema: z.ZodType): SchemaDef => schema.def as unknown as SchemaDef;
