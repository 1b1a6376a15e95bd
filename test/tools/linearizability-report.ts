import type { Operation, Value, Violation } from './linearizability.js';

/** Operations of the prefix shown; older ones are counted. */
const LINES_MAX = 40;

/** A violation as a person reads it: the calls in their order, with what the longest explanation makes of each. */
export function reportViolation({ key, prefix, explained }: Violation): string {
  const places = new Map(explained.map((operation, place) => [identity(operation), place + 1]));
  const calls = prefix.toSorted((a, b) => a.invokedAt - b.invokedAt);
  const shown = calls.slice(-LINES_MAX);
  const lines = shown.map((operation) => {
    const place = places.get(identity(operation));
    return `  ${place === undefined ? '   -' : String(place).padStart(4)}  ${describe(operation)}`;
  });
  return [
    `the history of key ${JSON.stringify(key)} is not linearizable: ${calls.length} operations until then`,
    '  place in the longest order found, call to return, client, operation',
    ...(calls.length > shown.length ? [`  … ${calls.length - shown.length} earlier`] : []),
    ...lines,
  ].join('\n');
}

/** Settling what is unknown makes new objects of some operations; their call stays what it was. */
function identity({ client, kind, invokedAt }: Operation): string {
  return `${client};${kind};${invokedAt}`;
}

function describe(operation: Operation): string {
  const { invokedAt, returnedAt, client } = operation;
  const until = returnedAt === undefined ? '?' : String(returnedAt);
  return `${`${invokedAt} – ${until}`.padEnd(24)} client ${client}: ${describeCall(operation)}`;
}

function describeCall(operation: Operation): string {
  if (operation.kind === 'read') return `read ${show(operation.result)}`;
  if (operation.kind === 'write') {
    const outcome = operation.returnedAt === undefined ? ', outcome unknown' : '';
    return `write ${show(operation.value)}${outcome}`;
  }
  const { expected, value, result } = operation;
  const call = `compare-and-set ${show(expected)} to ${show(value)}`;
  if (result === undefined) return `${call}, outcome unknown`;
  if (result.succeeded) return `${call}, done`;
  return result.found === undefined ? `${call}, failed` : `${call}, found ${show(result.found.value)}`;
}

function show(value: Value): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
