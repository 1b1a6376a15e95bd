/** One media type's way from bytes to an object and back. */
import type { MarkedObject } from './json-numbers.js';
import type { DecodeHint, JsonObject } from './type-meta.js';

export interface Decoded {
  /** Has `kind` and `apiVersion`; nothing else of it is checked yet. */
  readonly object: JsonObject;
  /**
   * What strict decoding refuses before fields are looked at: fields given twice. With fieldValidation=Strict they join
   * the unknown fields in one error; else `warningsOf` makes them warnings.
   */
  readonly strictErrors: readonly string[];
  /** Where numbers are written as Go takes none for an integer: the object with marks in their place. */
  readonly marked?: MarkedObject;
}

export interface Serializer {
  /** The first is the one answered with. */
  readonly mediaTypes: readonly string[];
  /** Throws the StatusError 400 that Kubernetes answers for such a body. */
  decode(body: Buffer, hint: DecodeHint): Decoded;
  /** From the object's JSON. Absent where answers are never given in this form. */
  encode?(json: Buffer): Buffer;
}

const YAML_PREFIX = 'yaml: unmarshal errors:\n';

/** Strict errors as the texts of `Warning` headers: YAML's come several in one. */
export function warningsOf(strictErrors: readonly string[]): string[] {
  return strictErrors.flatMap((error) =>
    error.startsWith(YAML_PREFIX)
      ? error
          .slice(YAML_PREFIX.length)
          .split('\n')
          .map((line) => line.trim())
      : [error],
  );
}
