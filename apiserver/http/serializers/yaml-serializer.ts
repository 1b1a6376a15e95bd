/** YAML bodies. Answers are written like Go's. */
import type { Decoded, Serializer } from './serializer.js';
import { type DecodeHint, unrecognized, withTypeMeta } from './type-meta.js';
import { duplicateKeysError, library } from './yaml.js';
import { readYaml } from './yaml-ahead.js';
import { encodeYaml } from './yaml-encode.js';

export const yamlSerializer: Serializer = {
  mediaTypes: ['application/yaml'],

  decode(body: Buffer, hint: DecodeHint): Decoded {
    const { value, problem, duplicates = [] } = readYaml(body);
    if (problem !== undefined) throw unrecognized(hint, problem, body);
    const object = withTypeMeta(value, hint, body);
    const strictErrors = duplicates.length === 0 || !hint.strict ? [] : [duplicateKeysError(duplicates)];
    return { object, strictErrors };
  },

  encode: (json: Buffer): Buffer => Buffer.from(encodeYaml(JSON.parse(json.toString('utf8')), library)),
};
