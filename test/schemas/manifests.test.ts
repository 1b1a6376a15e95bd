/**
 * Manifests as people write them, in test/fixtures/manifests, at least one good and one bad of each kind:
 *
 * - `<name>-good.yaml` is stored as written, with what `<name>-stored.yaml` says added (null: taken away), and can be
 *   written back;
 * - `<name>-bad.yaml` is refused with the lines of `<name>-bad.txt`, in kube-apiserver 1.36's words and order.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import type { ResourceDefinition } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import { repository } from '../tools/wherry.js';
import { createInTime, messages, update } from './pipeline.js';

const folder = join(repository, 'test/fixtures/manifests');
const text = (file: string): string => readFileSync(join(folder, file), 'utf8');
const files = readdirSync(folder);
const namesOf = (ending: string): string[] =>
  files.filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length));

interface Manifest extends Record<string, unknown> {
  readonly apiVersion: string;
  readonly kind: string;
}

const apiVersionOf = ({ group, version }: ResourceDefinition): string =>
  group === '' ? version : `${group}/${version}`;

function read(file: string): { definition: ResourceDefinition; body: Manifest } {
  const body = parse(text(file)) as Manifest;
  const definition = builtinResources.find(
    (resource) => resource.kind === body.kind && apiVersionOf(resource) === body.apiVersion,
  );
  if (definition === undefined) throw new Error(`${file}: ${body.apiVersion} ${body.kind} is not served`);
  return { definition, body };
}

t.test('every kind that is stored has a good and a bad manifest, each with its answer', (t) => {
  const kinds = builtinResources
    .filter(({ verbs }) => verbs.includes('create') && verbs.includes('update'))
    .map((definition) => `${apiVersionOf(definition)} ${definition.kind}`);
  for (const [ending, answer] of [
    ['-good.yaml', '-stored.yaml'],
    ['-bad.yaml', '-bad.txt'],
  ] as const) {
    const there = new Set(
      namesOf(ending).map((name) => {
        const { body } = read(`${name}${ending}`);
        return `${body.apiVersion} ${body.kind}`;
      }),
    );
    t.same(
      kinds.filter((kind) => !there.has(kind)),
      [],
      ending,
    );
    t.same(namesOf(ending).sort(), namesOf(answer).sort(), `${ending} and ${answer}`);
  }
  t.end();
});

for (const name of namesOf('-good.yaml')) {
  t.test(`${name}: the good one is stored with its defaults`, async (t) => {
    const { definition, body } = read(`${name}-good.yaml`);
    const outcome = await createInTime(definition, body);
    t.same(messages(outcome), []);
    const added = parse(text(`${name}-stored.yaml`)) as Record<string, unknown>;
    const kept = Object.entries(body).filter(([field]) => added[field] !== null);
    t.match(outcome.object, Object.fromEntries(kept), 'what was written');
    t.match(outcome.object, added, 'and what was not');
    const { object } = outcome;
    if (object === undefined) throw new Error(`${name} was not decoded`);

    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: '1' } };
    t.same(update(definition, stored, stored), { object: stored, errors: [] }, 'written back unchanged');
    t.same(definition.strategy.warnings?.(stored, stored) ?? [], [], 'without a warning');
  });
}

for (const name of namesOf('-bad.yaml')) {
  t.test(`${name}: the bad one is refused`, async (t) => {
    const { definition, body } = read(`${name}-bad.yaml`);
    t.same(messages(await createInTime(definition, body)), text(`${name}-bad.txt`).trimEnd().split('\n'));
  });
}
