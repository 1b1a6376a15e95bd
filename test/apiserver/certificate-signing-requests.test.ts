/** Certificate signing requests on a server: who asks, what each path may write, and whose the fields then are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repository } from '../tools/wherry.js';
import { serve } from './served-fixture.js';

const made = JSON.parse(
  readFileSync(join(repository, 'test/fixtures/certificate-requests.json'), 'utf8'),
) as Readonly<Record<string, string>>;
const base64 = (name: string): string => Buffer.from(made[name] ?? '').toString('base64');

const PATH = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const signingRequest = (name: string, spec: object = {}) => ({
  kind: 'CertificateSigningRequest',
  apiVersion: 'certificates.k8s.io/v1',
  metadata: { name },
  spec: {
    request: base64('ecdsa'),
    signerName: 'kubernetes.io/kube-apiserver-client',
    usages: ['client auth'],
    ...spec,
  },
});

t.test('the server says who asks, and what was asked for stays', async (t) => {
  const { ask } = await serve(t);
  const headers = {
    'Impersonate-User': 'jane',
    'Impersonate-Uid': '42',
    'Impersonate-Group': ['developers', 'system:masters'],
    'Impersonate-Extra-Scopes': 'view',
  };
  const { status, json } = await ask(PATH, { body: signingRequest('jane'), headers });
  t.equal(status, 201);
  t.same(json['spec'], {
    ...signingRequest('jane').spec,
    username: 'jane',
    uid: '42',
    groups: ['developers', 'system:masters', 'system:authenticated'],
    extra: { scopes: ['view'] },
  });
  const other = signingRequest('jane', { signerName: 'a.b/c', usages: ['any'] });
  const changed = await ask(`${PATH}/jane`, { method: 'PUT', body: other });
  t.same(changed.json['spec'], json['spec']);
  t.equal(changed.json.metadata.resourceVersion, json.metadata.resourceVersion, 'nothing was written');
  const selected = await ask(`${PATH}?fieldSelector=spec.signerName%3Da.b/c`);
  t.same(selected.json['items'], []);
  const found = await ask(`${PATH}?fieldSelector=spec.signerName%3Dkubernetes.io/kube-apiserver-client`);
  t.equal((found.json['items'] as object[]).length, 1);
  const unknown = await ask(`${PATH}?fieldSelector=spec.username%3Djane`);
  t.equal(unknown.json.message, 'field label not supported: spec.username');
});

t.test('approval is written through approval, and the certificate through status', async (t) => {
  const { ask } = await serve(t, { now: () => Date.UTC(2026, 0, 2, 3, 4, 5) });
  const merge = { method: 'PATCH', contentType: 'application/merge-patch+json' };
  await ask(PATH, { body: signingRequest('a') });
  const approval = { status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Known' }] } };
  const wrong = await ask(`${PATH}/a/status`, { ...merge, body: approval });
  t.match(wrong, {
    status: 422,
    json: {
      message:
        'CertificateSigningRequest.certificates.k8s.io "a" is invalid: status.conditions: Forbidden: updates may not add a condition of type "Approved"',
    },
  });
  const plain = await ask(`${PATH}/a`, { ...merge, body: approval });
  t.same(plain.json['status'], {}, 'not by a plain write');
  const certificate = base64('certificate');
  const approved = await ask(`${PATH}/a/approval`, {
    ...merge,
    body: { status: { ...approval.status, certificate } },
  });
  const time = '2026-01-02T03:04:05Z';
  const conditions = [
    { type: 'Approved', status: 'True', reason: 'Known', lastUpdateTime: time, lastTransitionTime: time },
  ];
  t.same(approved.json['status'], { conditions });
  const issued = await ask(`${PATH}/a/status`, { ...merge, body: { status: { certificate } } });
  t.same(issued.json['status'], { conditions, certificate });
  t.same((await ask(`${PATH}/a/approval`)).json, issued.json);
  t.equal((await ask(`${PATH}/a/approval`, { method: 'POST', body: {} })).status, 405);
});

t.test('fields that a path does not write are not those of who writes there', async (t) => {
  const { ask } = await serve(t);
  const apply = { method: 'PATCH', contentType: 'application/apply-patch+yaml' };
  const options = '?fieldManager=me';
  const body = { ...signingRequest('a'), metadata: { name: 'a', labels: { a: 'b' } } };
  const ownersOf = (json: { readonly metadata: object }) =>
    (json.metadata as { managedFields: { subresource?: string; fieldsV1: object }[] }).managedFields;
  const created = await ask(`${PATH}/a${options}`, { ...apply, body });
  t.equal(created.status, 201);
  t.match(created.json['spec'], body.spec);
  const labels = { 'f:metadata': { 'f:labels': { 'f:a': {} } } };
  t.same(ownersOf(created.json)[0]?.fieldsV1, labels);
  const again = await ask(`${PATH}/a${options}`, { ...apply, body: { ...body, spec: {} } });
  t.match(again, { status: 200, json: { spec: body.spec } }, 'what is not owned is not given up');
  const status = { conditions: [{ type: 'Failed', status: 'True' }], certificate: base64('certificate') };
  const failed = await ask(`${PATH}/a/approval${options}`, { ...apply, body: { ...body, status } });
  t.match(failed.json['status'], { conditions: [{ type: 'Failed' }], certificate: undefined });
  const own = ownersOf(failed.json).find(({ subresource }) => subresource === 'approval')?.fieldsV1;
  t.match(own, { 'f:status': { 'f:conditions': { 'k:{"type":"Failed"}': { 'f:type': {} } } } });
  t.notMatch(own, { 'f:status': { 'f:certificate': {} } });
  t.notMatch(own, { 'f:spec': {} });
});

t.test('CertificateSubjectRestriction: no client certificates for system:masters', async (t) => {
  const { ask } = await serve(t);
  const masters = (name: string, spec: object = {}) =>
    ask(PATH, { body: signingRequest(name, { request: base64('masters'), ...spec }) });
  t.match(await masters('root'), {
    status: 403,
    json: {
      reason: 'Forbidden',
      message:
        'certificatesigningrequests.certificates.k8s.io "root" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
    },
  });
  t.equal((await masters('elsewhere', { signerName: 'a.b/c' })).status, 201, 'another signer knows itself');
  t.equal((await ask(PATH, { body: signingRequest('jane') })).status, 201);
});
