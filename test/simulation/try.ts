import { plantedBugs } from './bugs/index.js';
import { simulate } from './simulation.js';
const only = process.argv[2];
const max = Number(process.argv[3] ?? 200);
for (const bug of plantedBugs) {
  if (only && !bug.name.includes(only)) continue;
  const un = bug.plant();
  const t = performance.now();
  let found = 0,
    text = '';
  for (let seed = 1; seed <= max && !found; seed++) {
    const r = await simulate({ seed, steps: Number(process.argv[4] ?? 6000), change: bug.surroundings });
    if (r.failure) {
      found = seed;
      text = r.failure;
    }
  }
  un();
  console.log(
    found || 'MISSED',
    bug.name,
    Math.round(performance.now() - t),
    'ms:',
    text.split('\n').slice(0, 1).join(' | ').slice(0, 200),
  );
}
