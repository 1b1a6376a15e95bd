/**
 * Replays, in order, requests that were recorded with their answers from kube-apiserver 1.36.2 (without controllers)
 * and compares ours with them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { type Answer, type Exchange, differences, without } from '../tools/transcript.js';
import { type Wherry, repository, startWherry } from '../tools/wherry.js';

/** Rows whose answer differs, each with the reason. A row that begins to agree must leave this list. */
const knownDifferences: Readonly<Record<number, string>> = {
  205: 'lists the checks of this server',
  210: 'lists the hashes of our own documents',
};

/** Descriptions of columns were left out of the recording. */
const notCompared = new Set(['description']);

/** Cluster IPs that the server has drawn. */
const drawn = new Set<string>();

/** Asks for another cluster IP where the one that was asked for is what this server happens to have drawn. */
function withAddressOfItsOwn(body: string): string {
  return body.replace(/("clusterIP":"10\.0\.0\.)(\d+)"/, (_, before: string, host: string) => {
    let free = Number(host);
    while (drawn.has(`10.0.0.${free}`)) free -= 1;
    return `${before}${free}"`;
  });
}

function noteAddress(answer: unknown): void {
  const { spec } = Object(answer) as { spec?: { clusterIP?: unknown } };
  if (typeof spec?.clusterIP === 'string') drawn.add(spec.clusterIP);
}

async function send(server: Wherry, exchange: Exchange): Promise<Answer> {
  const headers: Record<string, string> = { 'user-agent': 'transcript' };
  if (exchange.contentType !== undefined) headers['content-type'] = exchange.contentType;
  if (exchange.accept !== undefined) headers['accept'] = exchange.accept;
  const text = typeof exchange.body === 'string' ? exchange.body : JSON.stringify(exchange.body);
  const response = await fetch(server.url + exchange.path, {
    method: exchange.method === 'WATCH' ? 'GET' : exchange.method,
    headers,
    ...(exchange.body === undefined ? {} : { body: withAddressOfItsOwn(text) }),
  });
  const answer = parseBody(await response.text(), response, exchange);
  noteAddress(answer);
  const warning = response.headers.get('warning');
  return {
    status: response.status,
    body: answer,
    ...(warning === null ? {} : { warning: warning.split(', 299 ')[0] as string }),
  };
}

function parseBody(text: string, response: Response, exchange: Exchange): unknown {
  if (!(response.headers.get('content-type') ?? '').includes('json')) return text;
  if (exchange.method !== 'WATCH' || response.status !== 200) return JSON.parse(text);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}

/** YAML is compared by what it says, generated values aside. */
function normalise(exchange: Exchange): { expected: Answer; read: (answer: Answer) => Answer } {
  if (exchange.accept !== 'application/yaml') {
    return { expected: exchange.response, read: (answer) => answer };
  }
  const expected = parse(exchange.response.body as string) as { metadata: Record<string, unknown> };
  Object.assign(expected.metadata, { uid: '<uid>', resourceVersion: '<resourceVersion>' });
  return {
    expected: { ...exchange.response, body: expected },
    read: (answer) => ({ ...answer, body: parse(answer.body as string) as unknown }),
  };
}

t.test('recorded exchanges with kube-apiserver get the same answers', async (t) => {
  const file = join(repository, 'test/fixtures/transcript.json');
  const exchanges = JSON.parse(readFileSync(file, 'utf8')) as Exchange[];
  const server = await startWherry({ args: ['--controllers='] });
  t.teardown(() => server.stop());
  const agreed = new Map<string, number>();
  const total = new Map<string, number>();
  const only = process.env['TRANSCRIPT_ROW'];

  for (const [row, exchange] of exchanges.entries()) {
    const { expected, read } = normalise(exchange);
    const answer = await send(server, exchange).then(read);
    const lines = differences(without(expected, notCompared), without(answer, notCompared));
    total.set(exchange.area, (total.get(exchange.area) ?? 0) + 1);
    const label = `#${row} ${exchange.area}: ${exchange.method} ${exchange.path.slice(0, 120)}`;
    const reason = knownDifferences[row];
    if (lines.length === 0) agreed.set(exchange.area, (agreed.get(exchange.area) ?? 0) + 1);
    if (only !== undefined && only !== String(row)) continue;
    if (reason === undefined) t.same(lines, [], label);
    else t.not(lines.length, 0, `${label} differs: ${reason}`);
  }
  const sum = (counts: Map<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0);
  t.equal(server.process.exitCode, null, 'the same server answered to the end');
  t.comment(`equal: ${sum(agreed)} of ${sum(total)}`);
  if (sum(agreed) + Object.keys(knownDifferences).length < sum(total)) t.comment(server.output());
  for (const [area, count] of total) t.comment(`  ${area}: ${agreed.get(area) ?? 0} of ${count}`);
});
