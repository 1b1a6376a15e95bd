/** What a field manager may be called, in options of a write and in entries of managedFields. */
import { type FieldError, invalid, tooLong } from '../field-error.js';
import { isPrintable } from '../go-quote.js';
import { byteLength } from './names.js';

export const FIELD_MANAGER_BYTES_MAX = 128;

/** Nearly all names; none of them is refused. */
const PLAIN = /^[ -~]{0,128}$/;

/** An empty name is none, which is somebody else's to refuse. */
export function validateFieldManager(errors: FieldError[], manager: string, field: string): void {
  if (PLAIN.test(manager)) return;
  if (byteLength(manager) > FIELD_MANAGER_BYTES_MAX) errors.push(tooLong(field, FIELD_MANAGER_BYTES_MAX));
  let at = 0;
  for (const character of manager) {
    if (!isPrintable(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      errors.push(invalid(field, manager, `invalid character U+${code} (at position ${at})`));
    }
    at += byteLength(character);
  }
}
