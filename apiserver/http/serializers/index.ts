/** From the bytes of a request to an object, and back, by media type. */
export { jsonSerializer, parseJson } from './json.js';
export { decodeStoredProtobuf, protobufSerializer, protobufType } from './protobuf.js';
export { type Decoded, type Serializer, warningsOf } from './serializer.js';
export { cannotBeHandled, type DecodeHint, type JsonObject, kindProblem } from './type-meta.js';
export { yamlSerializer } from './yaml-serializer.js';
