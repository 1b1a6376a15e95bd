/** The members' logs as one: each line says whose it is. */
import { forPerson } from '../logger.js';

/** Makes one line of a member's log, which is JSON, a line of the common one. */
export function commonLine(member: string, line: string, terminal: boolean): string {
  if (!line.startsWith('{')) return `${member} ${line}\n`;
  if (!terminal) return `{"member":${JSON.stringify(member)},${line.slice(1)}\n`;
  return forPerson(line).trimEnd().replaceAll(/^/gm, `${member} `).concat('\n');
}
