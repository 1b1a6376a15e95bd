/** What a created object looks like when it comes back, against what kube-apiserver 1.36.2 answered. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { builtinResources } from '../../schemas/index.js';
import { differences, without } from '../tools/transcript.js';
import { repository, startWherry } from '../tools/wherry.js';

interface Row {
  readonly resource: string;
  readonly path: string;
  readonly etcdKey: string;
  readonly request: unknown;
  readonly status: number;
  readonly response: unknown;
}

const facts = join(repository, '../shared/facts/kubernetes-1.36/create-defaults.json');
const served = new Set(
  builtinResources.map(({ group, version, plural }) => [group, version, plural].filter(Boolean).join('/')),
);
/** Rows of the recording. */
const RECORDED = 59;
const generated = new Set([
  'managedFields',
  'lastPhaseTransitionTime',
  'nodePort',
  'clusterIP',
  'clusterIPs',
]);
const placeholders = { '<creationTimestamp>': '<ts>' } as const;

t.test(
  'defaults equal those recorded from kube-apiserver',
  { skip: existsSync(facts) ? false : 'the recorded facts are not beside this checkout' },
  async (t) => {
    const text = Object.entries(placeholders).reduce(
      (all, [from, to]) => all.replaceAll(from, to),
      readFileSync(facts, 'utf8'),
    );
    const rows = JSON.parse(text) as Row[];
    t.equal(rows.length, RECORDED);
    t.same(
      rows.filter(({ resource }) => !served.has(resource)).map(({ resource }) => resource),
      [],
      `all ${rows.length} kinds are served`,
    );
    // Without controllers, as recorded: the Pod row is a refusal for want of a ServiceAccount.
    const server = await startWherry({ args: ['--controllers='] });
    t.teardown(() => server.stop());
    // Who created them there is in one of them.
    const headers = {
      'content-type': 'application/json',
      'impersonate-user': 'admin',
      'impersonate-uid': 'admin-uid',
      'impersonate-group': 'system:masters',
    };
    const namespace = JSON.stringify({ metadata: { name: 'oracle' } });
    await fetch(`${server.url}/api/v1/namespaces`, { method: 'POST', headers, body: namespace });

    for (const row of rows) {
      const body = JSON.stringify(row.request);
      const response = await fetch(server.url + row.path, { method: 'POST', headers, body });
      const lines = differences(without(row.response, generated), without(await response.json(), generated));
      t.same({ status: response.status, lines }, { status: row.status, lines: [] }, row.resource);
    }
  },
);
