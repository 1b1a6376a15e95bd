/** Problems, those of one kind together. */
export interface Finding {
  readonly problem: string;
  /** How to have it again. */
  readonly command: string;
}

/** Of one kind, those shown. */
const SHOWN = 2;
/** Kinds after which a run ends: there is enough to do. */
const KINDS_MAX = 60;

export class Findings {
  readonly #kinds = new Map<string, { count: number; readonly shown: Finding[] }>();

  /** `onKind`: told of the first of each kind when it is found, since a run of hours may come to no end. */
  constructor(private readonly onKind?: (finding: Finding) => void) {}

  add(finding: Finding): void {
    const kind = kindOf(finding.problem);
    const known = this.#kinds.get(kind);
    if (known === undefined) this.onKind?.(finding);
    const entry = known ?? { count: 0, shown: [] };
    this.#kinds.set(kind, entry);
    entry.count += 1;
    if (entry.shown.length < SHOWN) entry.shown.push(finding);
  }

  get enough(): boolean {
    return this.#kinds.size >= KINDS_MAX;
  }

  get kinds(): number {
    return this.#kinds.size;
  }

  /** For people; empty when nothing was found. */
  text(): string {
    return [...this.#kinds.values()]
      .map(({ count, shown }) =>
        shown
          .map(
            ({ problem, command }, index) =>
              `${index === 0 ? `${count} × ` : '    '}${problem.slice(0, 1500)}${command === '' ? '' : `\n  ${command}`}`,
          )
          .join('\n'),
      )
      .join('\n');
  }
}

/** The same words with other values in them. */
const kindOf = (problem: string): string =>
  problem
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '"…"')
    .replaceAll(/\d+/g, '0')
    .slice(0, 80);
