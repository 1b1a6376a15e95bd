/** Who of a cluster's members holds something else than the others. Pure. */

export interface Finding {
  readonly memberId: bigint;
  readonly hash: number;
  readonly compactRevision: number;
}

/** As etcd's alarm names it where nobody can say which member it is. */
export const UNKNOWN_MEMBER = 0n;

/**
 * The members to raise CORRUPT for. Those who hold what a majority of all members holds are right, and whoever differs
 * from them is not; without such a majority there is no saying who is. Only hashes that were made after the same
 * compaction can be compared.
 */
export function differing(findings: readonly Finding[], membersCount: number): readonly bigint[] {
  return comparable(findings).flatMap((group) => differingOf(group, membersCount));
}

function comparable(findings: readonly Finding[]): Finding[][] {
  const found = new Map<number, Finding[]>();
  for (const finding of findings) {
    const group = found.get(finding.compactRevision);
    if (group === undefined) found.set(finding.compactRevision, [finding]);
    else group.push(finding);
  }
  return [...found.values()];
}

function differingOf(findings: readonly Finding[], membersCount: number): readonly bigint[] {
  const counts = new Map<number, number>();
  for (const { hash } of findings) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  if (counts.size <= 1) return [];
  const right = [...counts].find(([, count]) => count > membersCount / 2)?.[0];
  if (right === undefined) return [UNKNOWN_MEMBER];
  return findings.filter(({ hash }) => hash !== right).map(({ memberId }) => memberId);
}
