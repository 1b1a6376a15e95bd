/** Rules of certificate signing requests that a manifest cannot show, as kube-apiserver 1.36 has them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { examineRequest } from '../../schemas/certificates/v1/certificate-request.js';
import {
  certificateSigningRequests as definition,
  organizationsOf,
} from '../../schemas/certificates/v1/certificate-signing-request.js';
import { pemBlocks } from '../../schemas/certificates/v1/pem.js';
import type { KubeObject } from '../../schemas/definition.js';
import { repository } from '../tools/wherry.js';
import { createInTime, messages, NOW, type Outcome, update } from './pipeline.js';

/** Made with OpenSSL, in PEM, by how. */
const made = JSON.parse(
  readFileSync(join(repository, 'test/fixtures/certificate-requests.json'), 'utf8'),
) as Readonly<Record<string, string>>;
const pemOf = (name: string): string => {
  const pem = made[name];
  if (pem === undefined) throw new Error(`no ${name}`);
  return pem;
};
const derOf = (name: string): Buffer => Buffer.from(pemOf(name).replaceAll(/-----.*-----/g, ''), 'base64');
const pem = (der: Buffer, type = 'CERTIFICATE REQUEST'): string =>
  `-----BEGIN ${type}-----\n${der.toString('base64')}\n-----END ${type}-----\n`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Condition {
  readonly type: string;
  readonly status?: string;
  readonly [field: string]: unknown;
}
interface Status {
  readonly conditions?: readonly Condition[];
  readonly certificate?: string;
}

const body = (spec: object = {}): Record<string, unknown> => ({
  metadata: { name: 'x' },
  spec: { request: base64(pemOf('ecdsa')), signerName: 'a.b/c', usages: ['client auth'], ...spec },
});

async function stored(status: Status = {}, spec: object = {}): Promise<KubeObject> {
  const { object, errors } = await createInTime(definition, body(spec));
  if (object === undefined || errors.length > 0) throw new Error(JSON.stringify(errors));
  return { ...object, status };
}

const TIME = '2026-01-02T03:04:05Z';
const EARLIER = '2025-01-01T00:00:00Z';
const condition = (type: string, more: object = {}): Condition => ({
  type,
  status: 'True',
  lastUpdateTime: EARLIER,
  lastTransitionTime: EARLIER,
  ...more,
});
const write = (old: KubeObject, status: Status, subresource?: string): Outcome =>
  update(definition, old, { ...old, status }, subresource);
const statusOf = ({ object }: Outcome): unknown => object?.['status'];

t.test('a request is read and its signature checked, with the words of crypto/x509', async (t) => {
  t.equal(Date.parse(TIME), NOW, 'the time of these writes');
  const problemOf = async (text: string): Promise<string | undefined> =>
    (await examineRequest(Buffer.from(text))).problem;
  for (const name of ['ecdsa', 'ecdsa-p521', 'rsa', 'rsa-pss', 'rsa-sha1', 'ed25519', 'names']) {
    t.equal(await problemOf(pemOf(name)), undefined, name);
  }
  const forged = derOf('ecdsa');
  forged[forged.length - 1]! ^= 1;
  const forgedRsa = derOf('rsa');
  forgedRsa[forgedRsa.length - 1]! ^= 1;
  const unsigned = Buffer.from(
    derOf('rsa').toString('hex').replace('2a864886f70d01010b', '2a864886f70d010102'),
    'hex',
  );
  const swapped = Buffer.from(
    derOf('ecdsa').toString('hex').replace('2a8648ce3d040302', '2a8648ce38040302'),
    'hex',
  );
  const notPem = 'PEM block type must be CERTIFICATE REQUEST';
  const cases: readonly (readonly [string, string, string])[] = [
    ['nothing', '', notPem],
    ['a certificate', pemOf('certificate'), notPem],
    ['a cut text', pemOf('ecdsa').slice(0, 200), notPem],
    ['a request behind something else', pem(derOf('ecdsa'), 'X') + pemOf('ecdsa'), notPem],
    ['empty', pem(Buffer.alloc(0)), 'asn1: syntax error: sequence truncated'],
    ['one byte', pem(Buffer.from([0x30])), 'asn1: syntax error: truncated tag or length'],
    ['half a length', pem(Buffer.from([0x30, 0x82, 1])), 'asn1: syntax error: truncated tag or length'],
    ['a long length', pem(Buffer.from([0x30, 0x85, 1])), 'asn1: structure error: length too large'],
    ['BER', pem(Buffer.from([0x30, 0x80, 0, 0])), 'asn1: syntax error: indefinite length found (not DER)'],
    ['cut', pem(derOf('ecdsa').subarray(0, 99)), 'asn1: syntax error: data truncated'],
    ['two', pem(Buffer.concat([derOf('ecdsa'), derOf('rsa')])), 'asn1: syntax error: trailing data'],
    [
      'a number',
      pem(Buffer.from([2, 1, 5])),
      "asn1: structure error: tags don't match (16 vs {class:0 tag:2 length:1 isCompound:false}) {optional:false explicit:false application:false private:false defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false omitEmpty:false} certificateRequest @2",
    ],
    ['forged', pem(forged), 'x509: ECDSA verification failure'],
    ['forged', pem(forgedRsa), 'crypto/rsa: verification error'],
    ['MD5', pemOf('rsa-md5'), 'x509: cannot verify signature: insecure algorithm MD5-RSA'],
    ['MD2', pem(unsigned), 'x509: cannot verify signature: algorithm unimplemented'],
    ['DSA', pemOf('dsa'), 'x509: cannot verify signature: algorithm unimplemented'],
    ['of Bitcoin', pemOf('secp256k1'), 'x509: unsupported elliptic curve'],
  ];
  for (const [what, text, problem] of cases) t.equal(await problemOf(text), problem, what);
  // Ours: Go tells which element it is, and of what type.
  t.match(await problemOf(pem(Buffer.from([0x30, 0]))), /^asn1: structure error: /, 'no request');
  t.match(await problemOf(pem(swapped)), /^x509: cannot verify signature: /, 'not of a known algorithm');
  const wide = Buffer.alloc(6 + 2 * 500_000, Buffer.from([5, 0]));
  wide.set([0x30, 0x84]);
  wide.writeUInt32BE(wide.length - 6, 2);
  t.match(await problemOf(pem(wide)), /^asn1: structure error: /, 'half a million elements');
});

t.test('PEM is found as encoding/pem finds it', async (t) => {
  const types = (text: string): string[] => [...pemBlocks(text)].map(({ type }) => type);
  const [first, second] = [pem(Buffer.from('a'), 'A'), pem(Buffer.from('b'), 'B')];
  t.same(types(`${first}${second}`), ['A', 'B']);
  t.same(types(`said\n${first}and\n${second}`), ['A', 'B'], 'between other lines');
  t.same(types(`said ${first}${second}`), ['B'], 'not within a line');
  t.same(types(first.replace('END A', 'END C') + second), ['B'], 'the end must be of the same type');
  t.same(types(first.replace('YQ==', 'Y*==') + second), ['B'], 'base64 must be good');
  t.same(types(`-----BEGIN A-----\n${second}`), ['B'], 'a beginning without an end');
  t.same(types(first.replaceAll('\n', ' \r\n')), ['A'], 'blanks at the end of lines');
  t.same(types('-----BEGIN A-----\n-----END A-----'), ['A'], 'nothing in it');
  const headers = first.replace('YQ==', 'k: v\nl: w\n\nYQ==');
  t.match([...pemBlocks(headers)], [{ type: 'A', hasHeaders: true, bytes: Buffer.from('a') }]);
});

t.test('who asks is who made the request, whatever it says', async (t) => {
  const claimed = { username: 'root', uid: '0', groups: ['system:masters'], extra: { a: ['b'] } };
  const object = await stored({}, claimed);
  const spec = object['spec'] as Record<string, unknown>;
  t.same(Object.keys(spec), ['request', 'signerName', 'usages', 'username', 'uid', 'groups']);
  t.match(spec, { username: 'admin', uid: 'admin-uid', groups: ['system:masters', 'system:authenticated'] });
  const raw = body();
  const robot = { kind: 'X', apiVersion: 'v1', metadata: { name: 'x' }, ...raw } as KubeObject;
  const requester = { username: 'robot', uid: '', groups: [], extra: { z: ['1'], a: ['2', '3'] } };
  await definition.strategy.prepareForCreate?.(robot, requester, NOW);
  t.same(Object.keys(robot['spec'] as object), ['request', 'signerName', 'usages', 'username', 'extra']);
  t.equal(JSON.stringify((robot['spec'] as { extra: object }).extra), '{"a":["2","3"],"z":["1"]}');
  const approved = { ...body({ request: base64(pemOf('masters')) }), status: { conditions: [] } };
  const { object: masters } = await createInTime(definition, approved);
  t.same(masters?.['status'], {}, 'nobody approves what he asks for by asking');
  t.same(masters && organizationsOf(masters), ['a', 'system:masters']);
});

t.test('signer names are a domain and a path, up to 571 characters', async (t) => {
  const refusals = async (signerName: string): Promise<string[]> =>
    messages(await createInTime(definition, body({ signerName })));
  const [label, domain] = ['l'.repeat(63), `${'a.'.repeat(126)}b`];
  t.same(await refusals(`${domain}/${label}.${'a'.repeat(253)}`), []);
  t.same(await refusals(''), ['spec.signerName: Required value']);
  const form = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
  for (const name of ['a.b', 'a.b/c/d']) {
    t.same(await refusals(name), [`spec.signerName: Invalid value: "${name}": ${form}`]);
  }
  t.same(await refusals('localhost/x'), [
    'spec.signerName: Invalid value: "localhost": should be a domain with at least two segments separated by dots',
  ]);
  t.same(await refusals(`a.${domain}/${label}.${'a'.repeat(253)}`), [
    'spec.signerName: Too long: may not be more than 253 bytes',
    'spec.signerName: Too long: may not be more than 571 bytes',
  ]);
});

t.test('the spec never changes, and a plain write leaves the status', async (t) => {
  const old = await stored({ conditions: [condition('Approved')] });
  const changed = update(definition, old, {
    metadata: { name: 'x', labels: { a: 'b' } },
    spec: { request: 'bm90', signerName: 'd.e/f', usages: [], expirationSeconds: 1 },
    status: { conditions: [condition('Denied')], certificate: 'eA==' },
  });
  t.same(messages(changed), []);
  t.match(changed.object, { metadata: { labels: { a: 'b' } }, spec: old['spec'], status: old['status'] });
});

t.test('approval: takes conditions, gives them times, and lets nothing be taken back', async (t) => {
  const pending = await stored({ certificate: 'eA==' });
  const approved = write(pending, { conditions: [{ type: 'Approved', status: 'True' }] }, 'approval');
  t.same(messages(approved), []);
  t.same(statusOf(approved), {
    conditions: [{ type: 'Approved', status: 'True', lastUpdateTime: TIME, lastTransitionTime: TIME }],
    certificate: 'eA==',
  });
  const old = await stored({ conditions: [condition('Approved'), condition('Other', { status: 'False' })] });
  const again = [
    { type: 'Approved', status: 'True', reason: 'Again' },
    { type: 'Other', status: 'True' },
  ];
  t.match(statusOf(write(old, { conditions: again }, 'approval')), {
    conditions: [
      { reason: 'Again', lastUpdateTime: TIME, lastTransitionTime: EARLIER },
      { lastUpdateTime: TIME, lastTransitionTime: TIME },
    ],
  });
  const gone = (type: string): string =>
    `status.conditions: Forbidden: updates may not remove a condition of type "${type}"`;
  t.same(messages(write(old, {}, 'approval')), [gone('Approved')]);
  const denied = write(old, { conditions: [condition('Approved'), condition('Denied')] }, 'approval');
  t.same(messages(denied), [
    'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
  ]);
  const refused = await stored({ conditions: [condition('Denied'), condition('Failed')] });
  t.same(messages(write(refused, { conditions: [condition('Approved')] }, 'approval')), [
    gone('Denied'),
    gone('Failed'),
  ]);
  const both = await stored({ conditions: [condition('Approved'), condition('Denied')] });
  t.same(messages(write(both, statusOf({ object: both, errors: [] }) as Status, 'approval')), []);
});

t.test('conditions have a type and a status, each type once; some are True or not there', async (t) => {
  const old = await stored();
  const conditions = [
    condition('', { status: '' }),
    condition('Approved', { status: 'False' }),
    condition('Failed', { status: 'Unknown' }),
    condition('Other', { status: 'Maybe' }),
    condition('Other', { status: 'Unknown' }),
  ];
  t.same(messages(write(old, { conditions }, 'approval')), [
    'status.conditions[0].type: Required value',
    'status.conditions[0].status: Required value',
    'status.conditions[1].status: Unsupported value: "False": supported values: "True"',
    'status.conditions[2].status: Unsupported value: "Unknown": supported values: "True"',
    'status.conditions[3].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
    'status.conditions[4].type: Duplicate value: "Other"',
  ]);
  const odd = [condition(''), condition('Other'), condition('Other')];
  t.same(messages(write(await stored({ conditions: odd }), { conditions: odd }, 'approval')), []);
});

t.test('status: takes the certificate once, and other conditions than approvals', async (t) => {
  const approved = await stored({ conditions: [condition('Approved', { reason: 'Good' })] });
  const certificate = base64(pemOf('certificate') + pemOf('authority'));
  const conditions = [{ type: 'Failed', status: 'True' }, condition('Approved', { reason: 'Mine' })];
  const issued = write(approved, { conditions, certificate }, 'status');
  t.same(messages(issued), []);
  t.same(statusOf(issued), {
    conditions: [
      { type: 'Failed', status: 'True', lastUpdateTime: TIME, lastTransitionTime: TIME },
      { ...condition('Approved'), reason: 'Good' },
    ],
    certificate,
  });
  const add = (type: string): string =>
    `status.conditions: Forbidden: updates may not add a condition of type "${type}"`;
  t.same(messages(write(await stored(), { conditions: [condition('Approved')] }, 'status')), [
    add('Approved'),
  ]);
  t.same(messages(write(await stored(), { conditions: [condition('Denied')] }, 'status')), [add('Denied')]);
  t.same(messages(write(approved, {}, 'status')), [
    'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
  ]);
  const old = await stored({ certificate });
  t.same(messages(write(old, { certificate: base64(pemOf('authority')) }, 'status')), [
    'status.certificate: Forbidden: updates may not modify existing certificate content',
  ]);
  t.same(messages(write(old, {}, 'status')), [
    'status.certificate: Forbidden: updates may not modify existing certificate content',
  ]);
});

t.test('certificates are PEM of type CERTIFICATE without headers', async (t) => {
  const pending = await stored();
  const problemOf = (text: string): string[] =>
    messages(write(pending, { certificate: base64(text) }, 'status'));
  const refused = (why: string): string[] => [
    `status.certificate: Invalid value: "<certificate data>": ${why}`,
  ];
  const two = Buffer.concat([derOf('certificate'), derOf('authority')]);
  t.same(problemOf(`To whom it may concern\n${pem(two, 'CERTIFICATE')}`), []);
  t.same(problemOf('x'), refused('must contain at least one CERTIFICATE PEM block'));
  t.same(
    problemOf(pemOf('certificate') + pem(two, 'PRIVATE KEY')),
    refused('only CERTIFICATE PEM blocks are allowed, found "PRIVATE KEY"'),
  );
  const headers = pemOf('certificate').replace('-----\n', '-----\na: b\n\n');
  t.same(problemOf(headers), refused('no PEM block headers are permitted'));
  t.same(
    problemOf(pem(Buffer.alloc(0), 'CERTIFICATE')),
    refused('found CERTIFICATE PEM block containing 0 certificates'),
  );
  for (const wrong of [Buffer.from('no'), derOf('ecdsa'), Buffer.concat([two, Buffer.from('x')])]) {
    t.same(problemOf(pem(wrong, 'CERTIFICATE')), refused('x509: malformed certificate'));
  }
  const old = await stored({ certificate: 'eA==' });
  t.same(messages(write(old, { certificate: 'eA==' }, 'status')), [], 'what is stored may stay');
});

t.test('rows: who asks whom for how long, and what was decided', async (t) => {
  const cellsOf = async (status: Status, spec: object = {}): Promise<unknown[]> => {
    const object = await stored(status, spec);
    const shown = definition.columns.filter(({ name }) => name !== 'Age');
    return shown.map(({ cell }) => cell(object, NOW));
  };
  t.same(await cellsOf({}), ['x', 'a.b/c', 'admin', '<none>', 'Pending']);
  t.same(
    await cellsOf({ conditions: [condition('Approved')], certificate: 'eA==' }, { expirationSeconds: 86400 }),
    ['x', 'a.b/c', 'admin', '24h', 'Approved,Issued'],
  );
  const failed = { conditions: [condition('Failed'), condition('Denied'), condition('Approved')] };
  t.equal((await cellsOf(failed)).at(-1), 'Denied,Failed');
  t.equal((await cellsOf({ conditions: [condition('Failed')] })).at(-1), 'Pending,Failed');
});
