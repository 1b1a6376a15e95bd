/** What a list of rules lacks of another. */
import type { PolicyRule } from './rbac-rules.js';

const ALL = '*';

/** The parts of wanted rules that present ones do not allow, one verb on one resource or path each. */
export function uncoveredRules(
  present: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): readonly PolicyRule[] {
  return wanted
    .flatMap((rule) => [...brokenDown(rule)])
    .filter((part) => !present.some((rule) => covers(rule, part)));
}

/** One rule for each verb on each path, or on each resource of each group, by each name where names are given. */
function* brokenDown(rule: PolicyRule): Generator<PolicyRule> {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  for (const group of apiGroups) {
    for (const resource of resources) {
      for (const verb of verbs) {
        const part = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (resourceNames.length === 0) yield part;
        for (const name of resourceNames) yield { ...part, resourceNames: [name] };
      }
    }
  }
  for (const url of nonResourceURLs) {
    for (const verb of verbs) yield { verbs: [verb], nonResourceURLs: [url] };
  }
}

function covers(rule: PolicyRule, part: PolicyRule): boolean {
  return (
    hasAll(rule.verbs, part.verbs) &&
    hasAll(rule.apiGroups, part.apiGroups) &&
    coversResource(rule.resources, part.resources?.[0]) &&
    coversName(rule.resourceNames, part.resourceNames?.[0]) &&
    coversPath(rule.nonResourceURLs, part.nonResourceURLs?.[0])
  );
}

function hasAll(there: readonly string[] = [], wanted: readonly string[] = []): boolean {
  return there.includes(ALL) || wanted.every((word) => there.includes(word));
}

function coversResource(there: readonly string[] = [], wanted: string | undefined): boolean {
  if (wanted === undefined || there.includes(ALL) || there.includes(wanted)) return true;
  // `*/scale` is that subresource of everything.
  const slash = wanted.indexOf('/');
  return slash !== -1 && there.includes(`${ALL}${wanted.slice(slash)}`);
}

function coversName(there: readonly string[] = [], wanted: string | undefined): boolean {
  return there.length === 0 || (wanted !== undefined && there.includes(wanted));
}

function coversPath(there: readonly string[] = [], wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  return there.some(
    (path) => path === wanted || (path.endsWith(ALL) && wanted.startsWith(path.slice(0, -1))),
  );
}
