/** Under which name a writer's fields are kept in managedFields. */
import type { RequestContext } from '../request.js';

/** Of a name made from a user agent; what a client names itself is refused when it is longer. */
export const MANAGER_BYTES_MAX = 128;

/** What no letter, mark, number, punctuation, symbol or space is: Go does not print it. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const PLAIN = /^[!-~ ]{0,128}$/;

/** The name that the client gives, or what its user agent begins with. */
export function managerName(context: RequestContext, fieldManager: string | undefined): string {
  return fieldManager || programOf(context.userAgent) || 'unknown';
}

function programOf(userAgent: string): string {
  const slash = userAgent.indexOf('/');
  const program = slash === -1 ? userAgent : userAgent.slice(0, slash);
  return PLAIN.test(program) ? program : cut(program.replace(UNPRINTABLE, ''));
}

/** As many whole characters as fit. */
function cut(text: string): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > MANAGER_BYTES_MAX) break;
    end += character.length;
  }
  return text.slice(0, end);
}
