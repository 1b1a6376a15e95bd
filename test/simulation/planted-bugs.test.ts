/**
 * Known mistakes in Raft and its drivers, planted one at a time from outside the code: the simulation must find every
 * one by what it checks always, and find nothing in the same simulation without the mistake.
 */
import t from 'tap';
import { plantedBugs } from './bugs/index.js';
import type { PlantedBug } from './bugs/patch.js';
import { simulate, type SimulationResult } from './simulation.js';

/** Seeds tried for each before it counts as missed. */
const SEEDS_MAX = 400;
const STEPS = 6_000;

// A mistake may leave promises that nobody waits for; that is no matter here.
process.on('unhandledRejection', () => undefined);

async function find(bug: PlantedBug): Promise<SimulationResult | undefined> {
  const takeOut = bug.plant();
  try {
    for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
      const result = await simulate({ seed, steps: STEPS, change: bug.surroundings });
      if (result.failure !== undefined) return result;
    }
    return undefined;
  } finally {
    takeOut();
  }
}

const table: string[] = [];

for (const bug of plantedBugs) {
  t.test(`${bug.name}: ${bug.rule}`, async (t) => {
    const found = await find(bug);

    t.ok(found, `found within ${SEEDS_MAX} seeds`);
    if (found === undefined) return;
    const { seed, failure = '' } = found;
    table.push(`${String(seed).padStart(4)}  ${bug.name}: ${failure.split('\n', 1)[0]}`);
    const without = await simulate({ seed, steps: STEPS, change: bug.surroundings });
    t.equal(without.failure, undefined, `seed ${seed} is fine without it`);
  });
}

t.test('there are enough of them', async (t) => {
  t.comment(`seeds it took:\n${table.join('\n')}`);
  t.ok(plantedBugs.length >= 18);
  t.equal(new Set(plantedBugs.map(({ name }) => name)).size, plantedBugs.length);
});
