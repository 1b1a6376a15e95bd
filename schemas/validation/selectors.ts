/** Label selectors as objects hold them: printed as the query string form, and matched. */

export interface LabelSelectorRequirement {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelSelectorRequirement[];
}

/** Go sorts strings by their UTF-8 bytes; so does this, for text outside the basic plane too. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * `app in (a,b),!old,tier=r1`: sorted by key, values sorted, as `status.selector` of a scale shows it. Absent and empty
 * selectors both print the empty string.
 */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  const requirements: { key: string; text: string }[] = [];
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    requirements.push({ key, text: `${key}=${value}` });
  }
  for (const { key = '', operator, values = [] } of selector?.matchExpressions ?? []) {
    requirements.push({ key, text: formatRequirement(key, operator, values) });
  }
  return requirements
    .sort((a, b) => byBytes(a.key, b.key))
    .map((requirement) => requirement.text)
    .join(',');
}

function formatRequirement(key: string, operator: string | undefined, values: readonly string[]): string {
  const sorted = [...values].sort(byBytes).join(',');
  switch (operator) {
    case 'In':
      return `${key} in (${sorted})`;
    case 'NotIn':
      return `${key} notin (${sorted})`;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return key;
  }
}

/** Whether labels satisfy a selector. An absent selector matches nothing, an empty one everything. */
export function selectorMatches(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (selector === undefined) return false;
  const has = (key: string): boolean => labels !== undefined && Object.hasOwn(labels, key);
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (!has(key) || labels?.[key] !== value) return false;
  }
  return (selector.matchExpressions ?? []).every(({ key = '', operator, values = [] }) => {
    const present = has(key);
    const among = present && values.includes(labels?.[key] ?? '');
    switch (operator) {
      case 'In':
        return among;
      case 'NotIn':
        return !among;
      case 'Exists':
        return present;
      case 'DoesNotExist':
        return !present;
      default:
        return false;
    }
  });
}

/** A map as Go prints it. */
export function sortedByKey<T>(map: Readonly<Record<string, T>> | undefined): Record<string, T> | undefined {
  return map && Object.fromEntries(Object.entries(map).sort(([a], [b]) => byBytes(a, b)));
}

/** A selector as refusals print it. */
export const shownSelector = (selector: LabelSelector | undefined): LabelSelector | undefined =>
  selector?.matchLabels ? { ...selector, matchLabels: sortedByKey(selector.matchLabels) ?? {} } : selector;
