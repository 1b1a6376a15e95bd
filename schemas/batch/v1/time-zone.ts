/** Names of time zones, checked against those that the runtime knows; what is said of others is what Go says. */

/** Undefined for a name that can be loaded. */
export function locationProblem(name: string): string | undefined {
  if (name === '' || name === 'UTC' || name === 'Local') return undefined;
  if (name.includes('..') || name.startsWith('/') || name.startsWith('\\')) {
    return 'time: invalid location name';
  }
  return isKnown(name) ? undefined : `unknown time zone ${name}`;
}

/** The runtime takes names in any case, and offsets such as `+01`, which Go's database of files does not have. */
function isKnown(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    return timeZone === name || timeZone.toLowerCase() !== name.toLowerCase();
  } catch {
    return false;
  }
}
