import type { Report } from './pool.js';

/** What many simulations add up to. */
export class Summary {
  seeds = 0;
  failure: { readonly seed: number; readonly text: string } | undefined;
  #simulatedMs = 0;
  #steps = 0;
  #operations = 0;
  readonly #counts = new Map<string, number>();

  add({ seed, failure, simulatedMs, steps, counts, checkedOperations }: Report): void {
    this.seeds += 1;
    this.#simulatedMs += simulatedMs;
    this.#steps += steps;
    this.#operations += checkedOperations;
    for (const [what, count] of counts) this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
    if (failure !== undefined) this.failure ??= { seed, text: failure };
  }

  text(realMs: number): string {
    const count = (what: string) => (this.#counts.get(what) ?? 0).toLocaleString('en');
    const hours = (this.#simulatedMs / 3_600_000).toFixed(1);
    return [
      `${this.seeds.toLocaleString('en')} seeds, ${hours} simulated hours, ${this.#steps.toLocaleString('en')} events, ${(realMs / 1000).toFixed(1)} s of real time`,
      `elections ${count('elections')}, snapshots installed ${count('snapshots installed')}, syncs ${count('syncs')}`,
      `operations checked ${this.#operations.toLocaleString('en')}`,
      ...this.#group('outcomes', /^(read|write|compare-and-set|question|change|leadership) (.*)$/),
      ...this.#group('membership changes', /^(membership): (.*)$/),
      ...this.#group('faults', /^(fault): (.*)$/),
      ...this.#group('network', /^(message|snapshot transfers?) ?(.*)$/),
      ...this.#group('processes', /^(starts|crash in|removed members) ?(.*)$/),
    ].join('\n');
  }

  #group(title: string, pattern: RegExp): string[] {
    const lines = [...this.#counts]
      .filter(([what]) => pattern.test(what))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, count]) => `  ${count.toLocaleString('en').padStart(12)}  ${what}`);
    return lines.length === 0 ? [] : [`${title}:`, ...lines];
  }
}
