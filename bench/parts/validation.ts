/** What stands between a request's bytes and the store: parsing, types, defaults and every rule of a typical Deployment. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { decodeObject } from '../../schemas/decode.js';
import type { ResourceDefinition } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import { validateObjectMeta } from '../../schemas/validation/metadata.js';
import { printFigure } from '../report.js';

const WARM_ROUNDS = 5_000;
const ROUNDS = 20_000;
const AIM_US = 100;

const manifest = new URL('../../../manifests/deployment.yaml', import.meta.url);

const requester = { username: 'admin', uid: '', groups: ['system:masters'], extra: {} };

function validate(definition: ResourceDefinition, text: string): void {
  const decoded = decodeObject(definition, JSON.parse(text));
  if ('typeError' in decoded) throw new Error(decoded.typeError);
  const { object } = decoded;
  object.metadata.namespace = 'default';
  const { strategy } = definition;
  strategy.defaults?.(object);
  void strategy.prepareForCreate?.(object, requester, Date.now());
  const errors = [...validateObjectMeta(object, definition), ...(strategy.validate?.(object) ?? [])];
  if (errors.length > 0) throw new Error(`${manifest.pathname} is refused: ${JSON.stringify(errors)}`);
}

/** CPU time of one, in microseconds. */
function costOf(rounds: number, run: () => void): number {
  const before = process.cpuUsage();
  for (let i = 0; i < rounds; i++) run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / rounds;
}

export function validations(): void {
  console.log('\nvalidation');
  const definition = builtinResources.find(({ group, kind }) => group === 'apps' && kind === 'Deployment');
  if (definition === undefined) throw new Error('no deployments');
  const text = JSON.stringify(parse(readFileSync(manifest, 'utf8')));
  const run = () => validate(definition, text);
  const first = costOf(1, run) / 1000;
  costOf(WARM_ROUNDS, run);
  printFigure('a Deployment', costOf(ROUNDS, run), 'µs', `aim ${AIM_US} µs`);
  printFigure('the first one, which makes the schema', first, 'ms');
}
