/** The short form of `npm run fuzz`: malformed requests of every kind, always the same ones; and that it can fail. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { problemsOf } from './fuzz/checker.js';
import type { Outcome } from './fuzz/outcome.js';
import { Pipelines } from './fuzz/pipeline.js';
import { describe } from './fuzz/report.js';
import { fuzz, problemsOfOutcome } from './fuzz/run.js';

const SEED = 20;
const REQUESTS = 4000;

t.test('malformed requests get well-formed answers, and leave nothing behind', async (t) => {
  const report = await fuzz({ seed: SEED, requests: REQUESTS });
  t.comment(describe(report));
  t.equal(report.findings.kinds, 0, report.findings.kinds === 0 ? 'no findings' : describe(report));
  t.equal(report.requests, REQUESTS);
  t.ok(report.statuses.size > 10, 'answers of many kinds');
});

const failure = (code: number, reason: string, message: string, more: object = {}): string =>
  JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code,
    ...more,
  });

interface Planted {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
  /** What is reported; undefined: nothing is wrong with it. */
  readonly problem?: RegExp;
}

const planted: Readonly<Record<string, Planted>> = {
  '/fine': { status: 404, body: failure(404, 'NotFound', 'pods "a" not found') },
  '/500': {
    status: 500,
    body: failure(500, 'InternalError', 'Internal error occurred: unexpected failure'),
    problem: /^500 InternalError: Internal error occurred/,
  },
  '/stack': {
    status: 400,
    body: failure(400, 'BadRequest', 'no\n    at decode (/srv/x.js:1:2)'),
    problem: /^400 tells of the inside: /,
  },
  '/engine': {
    status: 422,
    body: failure(422, 'Invalid', "TypeError: Cannot read properties of undefined (reading 'x')"),
    problem: /^422 tells of the inside: /,
  },
  '/text': { status: 400, type: 'text/plain', body: 'at file:///srv/x.js', problem: /^the text tells of/ },
  '/no-status': { status: 404, body: '{"error":"not found"}', problem: /^404 with no Status: / },
  '/wrong-code': {
    status: 404,
    body: failure(409, 'NotFound', 'pods "a" not found'),
    problem: /^the code of the Status is 409, that of the answer 404$/,
  },
  '/wrong-reason': {
    status: 404,
    body: failure(404, 'Conflict', 'pods "a" not found'),
    problem: /^404 with the reason Conflict: /,
  },
  '/odd-details': {
    status: 404,
    body: failure(404, 'NotFound', 'pods "a" not found', { details: { name: '', stack: 'x' } }),
    problem: /^details have no stack$/,
  },
  '/success': { status: 200, body: failure(404, 'NotFound', 'x'), problem: /^200 with the failure x$/ },
  '/apis/apps/v1/x': { status: 200, body: '{"items":[]}', problem: /^an object without a kind$/ },
  '/no-json': { status: 200, body: '{"kind":', problem: /JSON/ },
};

async function plantedServer(t: Test): Promise<number> {
  const server: Server = createServer(({ url = '' }, response) => {
    const answer = planted[url];
    if (url === '/cut') response.socket?.destroy();
    else if (answer !== undefined) {
      response.writeHead(answer.status, { 'Content-Type': answer.type ?? 'application/json' });
      response.end(answer.body);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

t.test(
  'an answer that must not be is reported: what a server has planted, that it hangs, that it hangs up',
  async (t) => {
    const port = await plantedServer(t);
    const outcomes = new Map<string, Outcome>();
    const pipelines = new Pipelines({
      endpoints: { port, securePort: port, ca: '', cert: '', key: '' },
      over: 'plain',
      connections: 1,
      depth: 1,
      answerMsMax: 300,
      onOutcome: (outcome) =>
        outcome.case.kind === 'request' && outcomes.set(outcome.case.message.target, outcome),
    });
    const targets = [...Object.keys(planted), '/hang', '/cut'];
    for (const [index, target] of targets.entries()) {
      const message = {
        method: 'GET',
        target,
        headers: [['Host', 'x']] as const,
        body: Buffer.alloc(0),
        chunks: undefined,
      };
      await pipelines.submit({
        index,
        kind: 'request',
        message,
        over: 'plain',
        alone: false,
        endless: false,
      });
    }
    await pipelines.close();
    const problemsAt = (target: string): string[] => {
      const outcome = outcomes.get(target);
      return outcome === undefined ? [] : problemsOfOutcome(outcome);
    };
    for (const [target, { problem }] of Object.entries(planted)) {
      if (problem === undefined) t.same(problemsAt(target), [], target);
      else
        t.ok(
          problemsAt(target).some((text) => problem.test(text)),
          `${target}: ${problemsAt(target).join('; ')}`,
        );
    }
    t.same(problemsAt('/hang'), ['no answer in 300 ms']);
    t.same(problemsAt('/cut'), ['the connection ended without an answer']);
  },
);

t.test('what a watch has sent is known in HTTP/2 too, where nothing says that it is in pieces', (t) => {
  const asked = { method: 'GET', target: '/api/v1/pods?watch=1&resourceVersion=5', endless: true };
  const expired = failure(410, 'Expired', 'too old resource version: 5 (2000)');
  const answer = (body: string) => ({
    status: 200,
    headers: new Map([['content-type', ['application/json']]]),
    body: Buffer.from(body),
  });
  t.same(problemsOf(asked, answer(`{"type":"ERROR","object":${expired}}\n`)), []);
  t.match(problemsOf(asked, answer('{"type":"NONE","object":{}}\n')), [/^no event: /]);
  t.match(problemsOf({ ...asked, endless: false }, answer('{"type":"ERROR"}\n')), [/without a kind/]);
  t.end();
});
