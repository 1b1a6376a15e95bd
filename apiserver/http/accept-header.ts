/** The Accept header taken apart as kube-apiserver's library does it, and in its order of preference. */

export interface AcceptClause {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Clauses that are no media type are left out. */
export function parseAccept(header: string): readonly AcceptClause[] {
  const clauses: AcceptClause[] = [];
  for (const text of header.split(',')) {
    const clause = parseClause(text);
    if (clause === undefined) continue;
    // Not a sort by quality alone: whatever names its type goes before a wildcard in front of it.
    let at = clauses.length;
    while (at > 0 && precedes(clause, clauses[at - 1]!)) at--;
    clauses.splice(at, 0, clause);
  }
  return clauses;
}

function precedes(clause: AcceptClause, other: AcceptClause): boolean {
  return (
    clause.quality > other.quality ||
    (clause.type !== '*' && other.type === '*') ||
    (clause.subtype !== '*' && other.subtype === '*')
  );
}

function parseClause(text: string): AcceptClause | undefined {
  const [range = '', ...rest] = text.split(';');
  const [type = '', subtype = '', ...more] = range.split('/').map((part) => part.trim());
  if (more.length > 0 || (subtype === '' && type !== '*')) return undefined;
  const parameters = new Map<string, string>();
  let quality = 1;
  for (const parameter of rest) {
    const [name = '', value = '', ...others] = parameter.split('=');
    if (value === '' || others.length > 0) continue;
    // A weight that is no number is none.
    if (name.trim() === 'q') quality = /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(value) ? Number(value) : 0;
    else parameters.set(name.trim(), value.trim());
  }
  return { type, subtype: subtype === '' ? '*' : subtype, quality, parameters };
}
