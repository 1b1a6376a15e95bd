/** The short form of `npm run fuzz`: malformed requests of every kind, always the same ones. */
import t from 'tap';
import { describe } from './fuzz/report.js';
import { fuzz } from './fuzz/run.js';

const SEED = 20;
const REQUESTS = 4000;

t.test('malformed requests get well-formed answers, and leave nothing behind', async (t) => {
  const report = await fuzz({ seed: SEED, requests: REQUESTS });
  t.comment(describe(report));
  t.equal(report.findings.kinds, 0, report.findings.kinds === 0 ? 'no findings' : describe(report));
  t.equal(report.requests, REQUESTS);
  t.ok(report.statuses.size > 10, 'answers of many kinds');
});
