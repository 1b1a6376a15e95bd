/** Under which name a writer's fields are kept in managedFields. */
import { isPrintable } from '../../schemas/go-quote.js';
import { FIELD_MANAGER_BYTES_MAX } from '../../schemas/validation/field-manager.js';
import type { RequestContext } from '../request.js';

const PLAIN = /^[!-~ ]{0,128}$/;

/** The name that the client gives, or what its user agent begins with. */
export function managerName(context: RequestContext, fieldManager: string | undefined): string {
  return fieldManager || programOf(context.userAgent) || 'unknown';
}

function programOf(userAgent: string): string {
  const slash = userAgent.indexOf('/');
  const program = slash === -1 ? userAgent : userAgent.slice(0, slash);
  return PLAIN.test(program) ? program : cut(Array.from(program).filter(isPrintable).join(''));
}

/** As many whole characters as fit. */
function cut(text: string): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > FIELD_MANAGER_BYTES_MAX) break;
    end += character.length;
  }
  return text.slice(0, end);
}
