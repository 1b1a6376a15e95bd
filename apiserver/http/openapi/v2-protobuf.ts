/**
 * Swagger 2.0 as protobuf: gnostic's `openapi.v2.Document`, with the fields that our documents use. kubectl validates
 * lists and unknown kinds with it, and takes it in no other form.
 */
import {
  anything,
  document,
  each,
  type Encode,
  type Fields,
  flag,
  message,
  named,
  text,
  wrapped,
} from './protobuf.js';
import type { OpenApiSchema } from './schema.js';

const texts = each(text);
/** Hoisted: schemas contain schemas. */
function schema(...field: Parameters<Encode>): void {
  encodeSchema(...field);
}

const schemaFields: Fields = {
  $ref: [1, text],
  format: [2, text],
  description: [4, text],
  default: [5, anything],
  required: [19, texts],
  enum: [20, each(anything)],
  additionalProperties: [21, wrapped(1, schema)],
  type: [22, wrapped(1, text)],
  items: [23, wrapped(1, schema)],
  properties: [25, wrapped(1, named(schema))],
};

const encodeSchema = message(schemaFields, 31);

const bodyParameter = message({
  name: [2, text],
  in: [3, text],
  required: [4, flag],
  schema: [5, schema],
});

const queryParameter = message({
  required: [1, flag],
  in: [2, text],
  description: [3, text],
  name: [4, text],
  type: [6, text],
  uniqueItems: [20, flag],
});

const pathParameter = message({
  required: [1, flag],
  in: [2, text],
  description: [3, text],
  name: [4, text],
  type: [5, text],
  uniqueItems: [19, flag],
});

/** Parameter → body, or not of the body → of the query, or of the path. */
const parametersByPlace = {
  body: wrapped(1, wrapped(1, bodyParameter)),
  query: wrapped(1, wrapped(2, wrapped(3, queryParameter))),
  path: wrapped(1, wrapped(2, wrapped(4, pathParameter))),
};

const parameters = each((parts, field, value) => {
  const place = (value as { readonly in: keyof typeof parametersByPlace }).in;
  parametersByPlace[place](parts, field, value);
});

const response = message({ description: [1, text], schema: [2, wrapped(1, schema)] });

const operation = message(
  {
    tags: [1, texts],
    description: [3, text],
    operationId: [5, text],
    produces: [6, texts],
    consumes: [7, texts],
    parameters: [8, parameters],
    responses: [9, wrapped(1, named(wrapped(1, response)))],
    schemes: [10, texts],
  },
  13,
);

const pathItem = message({
  get: [2, operation],
  put: [3, operation],
  post: [4, operation],
  delete: [5, operation],
  patch: [8, operation],
  parameters: [9, parameters],
});

const apiKey = message({ type: [1, text], name: [2, text], in: [3, text], description: [4, text] });

const documentFields: Fields = {
  swagger: [1, text],
  info: [2, message({ title: [1, text], version: [2, text] })],
  paths: [8, wrapped(2, named(pathItem))],
  definitions: [9, wrapped(1, named(schema))],
  security: [12, each(wrapped(1, named(wrapped(1, texts))))],
  securityDefinitions: [13, wrapped(1, named(wrapped(2, apiKey)))],
};

export const v2Protobuf = (v2: OpenApiSchema): Buffer => document(documentFields, v2);
