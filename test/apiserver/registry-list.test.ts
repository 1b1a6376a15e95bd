/** Lists: which state is answered, pages at one revision, tokens and their end. */
import t from 'tap';
import { StatusError } from '../../apiserver/errors.js';
import { decodeContinue, encodeContinue } from '../../apiserver/registry/continue-token.js';
import type { ListOptions, ObjectList } from '../../apiserver/registry/types.js';
import { namespaces } from '../../schemas/core/v1/namespace.js';
import {
  all,
  contextOf,
  demo,
  everything,
  type Fixture,
  labelIs,
  nameIsExactly,
  openFixture,
  widget,
} from './registry-fixture.js';

const prefix = '/registry/example.com/widgets/';

async function refusal(call: Promise<unknown>): Promise<StatusError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof StatusError) return error;
  throw new Error(`not refused with a status: ${String(error)}`);
}

const names = ({ items }: ObjectList) => items.map(({ name }) => name);

/** Objects in namespaces `a`, `a-b` and `demo`; the revision of demo/pN is N + 4. */
async function filled(options: Parameters<typeof openFixture>[0] = {}): Promise<Fixture> {
  const fixture = openFixture(options);
  for (const [namespace, name] of [
    ['a', 'x'],
    ['a-b', 'y'],
  ] as const) {
    await fixture.widgets.create(contextOf({ namespace }), widget(name));
  }
  for (let i = 0; i < 6; i++) {
    await fixture.widgets.create(demo, widget(`p${i}`, { metadata: { labels: { odd: String(i % 2) } } }));
  }
  return fixture;
}

t.test('lists hold one namespace or all, in the order of etcd keys', async (t) => {
  const { widgets: registry } = await filled();
  t.same(names(await registry.list(demo, 'demo', all)), ['p0', 'p1', 'p2', 'p3', 'p4', 'p5']);
  t.same(names(await registry.list(demo, 'a', all)), ['x']);
  t.same(names(await registry.list(demo, '', all)).slice(0, 2), ['y', 'x'], 'a-b/ comes before a/ in bytes');
  t.same(names(await registry.list(demo, 'nowhere', all)), []);
});

t.test('selectors', async (t) => {
  const { widgets: registry } = await filled();
  const odd = { ...all, labels: labelIs('odd', '1') };
  t.same(names(await registry.list(demo, 'demo', odd)), ['p1', 'p3', 'p5']);
  t.same(names(await registry.list(demo, 'demo', { ...odd, fields: nameIsExactly('p3') })), ['p3']);
  t.same(names(await registry.list(demo, 'demo', { ...odd, fields: nameIsExactly('p2') })), []);
  t.same(
    names(await registry.list(demo, '', { ...all, fields: nameIsExactly('p2') })),
    ['p2'],
    'across namespaces',
  );
  const contradiction = { ...nameIsExactly('p1'), matches: () => false };
  t.same(names(await registry.list(demo, 'demo', { ...all, fields: contradiction })), [], '#125');
});

t.test('the items are the cached objects themselves', async (t) => {
  const { widgets: registry } = await filled();
  const first = await registry.list(demo, 'demo', all);
  const second = await registry.list(demo, 'demo', all);
  t.equal(first.items[0], second.items[0]);
});

t.test('resourceVersion', async (t) => {
  const { widgets: registry, etcd } = await filled({ cache: { catchUpMs: 20 } });
  await registry.list(demo, '', all);
  etcd.immediate = false;
  etcd.write(`${prefix}demo/late`, JSON.stringify(widget('late')));
  t.notOk(
    names(await registry.list(demo, 'demo', { ...all, resourceVersion: 0 })).includes('late'),
    '0: what is there',
  );
  t.notOk(
    names(await registry.list(demo, 'demo', { ...all, resourceVersion: 5 })).includes('late'),
    'not older than 5',
  );
  setTimeout(() => etcd.flush(), 1);
  t.ok(names(await registry.list(demo, 'demo', all)).includes('late'), 'unset: consistent');
  etcd.immediate = true;
  await registry.delete(demo, 'demo', 'p0');
  const exact = { ...all, resourceVersion: 9, resourceVersionMatch: 'Exact' } as const;
  const old = await registry.list(demo, 'demo', exact);
  t.same(names(old), ['p0', 'p1', 'p2', 'p3', 'p4', 'p5'], 'exactly at 9, before late came and p0 went');
  t.equal(old.revision, 9);
  const newer = await registry.list(demo, 'demo', { ...exact, resourceVersionMatch: 'NotOlderThan' });
  t.equal(newer.revision, 11);
  t.same(names(newer), ['late', 'p1', 'p2', 'p3', 'p4', 'p5']);
  const error = await refusal(registry.list(demo, 'demo', { ...exact, resourceVersion: 99 }));
  t.match(error.toStatus(), { code: 504, message: 'Timeout: Too large resource version: 99, current: 11' });
  etcd.compactNow(10);
  const gone = await refusal(registry.list(demo, 'demo', { ...exact, resourceVersion: 8 }));
  t.match(gone.toStatus(), {
    code: 410,
    reason: 'Expired',
    message: 'The resourceVersion for the provided list is too old.',
  });
});

t.test('pages', async (t) => {
  t.test('hold the limit, say what remains, and stay at one revision', async (t) => {
    const { widgets: registry, etcd } = await filled();
    const first = await registry.list(demo, 'demo', { ...all, limit: 2 });
    t.same(names(first), ['p0', 'p1']);
    t.equal(first.remainingItemCount, 4);
    const token = first.continueToken ?? '';
    t.same(JSON.parse(Buffer.from(token, 'base64url').toString()), {
      v: 'meta.k8s.io/v1',
      rv: 9,
      start: 'p1\0',
    });
    await registry.delete(demo, 'demo', 'p3');
    await registry.create(demo, widget('p20'));
    await registry.update(demo, 'demo', 'p4', () => widget('p4', { spec: { size: 99 } }));
    etcd.calls.clear();
    const second = await registry.list(demo, 'demo', { ...all, limit: 3, continueToken: token });
    t.same(names(second), ['p2', 'p3', 'p4']);
    t.equal(second.revision, 9);
    t.equal(second.remainingItemCount, 1);
    t.same(second.items[2]?.object['spec'], { size: 1 });
    const third = await registry.list(demo, 'demo', {
      ...all,
      limit: 3,
      continueToken: second.continueToken ?? '',
    });
    t.same(names(third), ['p5']);
    t.notOk('continueToken' in third);
    t.notOk('remainingItemCount' in third);
    t.equal(etcd.calls.get('range'), undefined, 'all from memory');
  });
  t.test('across all namespaces', async (t) => {
    const { widgets: registry } = await filled();
    const first = await registry.list(demo, '', { ...all, limit: 1 });
    t.same(names(first), ['y']);
    t.equal(first.remainingItemCount, 7);
    const rest = await registry.list(demo, '', {
      ...all,
      limit: 0,
      continueToken: first.continueToken ?? '',
    });
    t.equal(rest.items.length, 7);
  });
  t.test('with a selector are full pages without a count, and go on while any object follows', async (t) => {
    const { widgets: registry } = await filled();
    const odd = { ...all, labels: labelIs('odd', '0'), limit: 2 };
    const first = await registry.list(demo, 'demo', odd);
    t.same(names(first), ['p0', 'p2']);
    t.notOk('remainingItemCount' in first);
    const second = await registry.list(demo, 'demo', { ...odd, continueToken: first.continueToken ?? '' });
    t.same(names(second), ['p4']);
    const exactly = await registry.list(demo, 'demo', { ...odd, limit: 3 });
    t.same(names(exactly), ['p0', 'p2', 'p4']);
    t.ok(exactly.continueToken, 'p5 follows, though it does not match');
  });
  t.test('a limit of exactly all is no page', async (t) => {
    const { widgets: registry } = await filled();
    t.notOk('continueToken' in (await registry.list(demo, 'demo', { ...all, limit: 6 })));
    t.ok((await registry.list(demo, 'demo', { ...all, limit: 5 })).continueToken);
  });
  t.test('#133: resourceVersion 0 ignores the limit', async (t) => {
    const { widgets: registry } = await filled();
    const { items, continueToken } = await registry.list(demo, 'demo', {
      ...all,
      limit: 2,
      resourceVersion: 0,
    });
    t.equal(items.length, 6);
    t.equal(continueToken, undefined);
  });
  t.test('a limit with a resourceVersion and no match is exact', async (t) => {
    const { widgets: registry } = await filled();
    await registry.delete(demo, 'demo', 'p0');
    const page = await registry.list(demo, 'demo', { ...all, limit: 2, resourceVersion: 9 });
    t.same(names(page), ['p0', 'p1']);
    t.equal(page.revision, 9);
  });
  t.test('come from the store when memory has let go of the revision', async (t) => {
    const { widgets: registry, registries } = await filled();
    const first = await registry.list(demo, 'demo', { ...all, limit: 2 });
    for (let i = 0; i < 10; i++) {
      await registry.update(demo, 'demo', 'p5', () => widget('p5', { spec: { size: i + 10 } }));
    }
    registries.tick(Number.MAX_SAFE_INTEGER);
    const continueToken = first.continueToken ?? '';
    const second = await registry.list(demo, 'demo', { ...all, limit: 2, continueToken });
    t.same(names(second), ['p2', 'p3']);
    t.equal(second.remainingItemCount, 2);
    const third = await registry.list(demo, 'demo', {
      ...all,
      limit: 2,
      continueToken: second.continueToken ?? '',
    });
    t.same(names(third), ['p4', 'p5']);
    t.same(third.items[1]?.object['spec'], { size: 1 });
    const odd = { ...all, labels: labelIs('odd', '1'), limit: 1, continueToken };
    t.same(names(await registry.list(demo, 'demo', odd)), ['p3']);
  });
  t.test('end with a token for an inconsistent rest when the revision is compacted', async (t) => {
    const { widgets: registry, registries, etcd } = await filled();
    const first = await registry.list(demo, 'demo', { ...all, limit: 2 });
    await registry.create(demo, widget('p30'));
    registries.tick(Number.MAX_SAFE_INTEGER);
    etcd.compactNow(10);
    const error = await refusal(
      registry.list(demo, 'demo', { ...all, limit: 2, continueToken: first.continueToken ?? '' }),
    );
    t.equal(error.code, 410);
    t.equal(error.reason, 'Expired');
    t.equal(
      error.message,
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    );
    const { continue: token } = error.metadata as { continue: string };
    const rest = await registry.list(demo, 'demo', { ...all, continueToken: token });
    t.same(names(rest), ['p2', 'p3', 'p30', 'p4', 'p5']);
    t.equal(rest.revision, 10);
  });
  t.end();
});

t.test('tokens', async (t) => {
  t.same(decodeContinue(encodeContinue({ revision: 7, start: 'a/b\0' })), { revision: 7, start: 'a/b\0' });
  const token = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const v = 'meta.k8s.io/v1';
  for (const [text, message] of [
    ['abc', "continue key is not valid: invalid character 'i' looking for beginning of value"],
    ['a!b', 'continue key is not valid: illegal base64 data at input byte 1'],
    [
      token({ v: 'x', rv: 1, start: 'a' }),
      'continue key is not valid: server does not recognize this encoded version "x"',
    ],
    [
      token({ v, rv: 0, start: 'a' }),
      'continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
    ],
    [
      token({ v, rv: 1, start: '' }),
      'continue key is not valid: encoded start key empty (version meta.k8s.io/v1)',
    ],
    [token({ v, rv: 1, start: '../secrets/x' }), 'continue key is not valid: ../secrets/x'],
    [token({ v, rv: 1, start: 'a/../../x' }), 'continue key is not valid: a/../../x'],
  ] as const) {
    try {
      decodeContinue(text);
      t.fail(text);
    } catch (error) {
      t.equal((error as StatusError).message, `invalid continue token: ${message}`);
      t.equal((error as StatusError).code, 400);
    }
  }
  const { widgets: registry } = await filled();
  const options: ListOptions = {
    ...all,
    resourceVersion: 5,
    continueToken: encodeContinue({ revision: 9, start: 'p1' }),
  };
  t.equal(
    (await refusal(registry.list(demo, 'demo', options))).message,
    'specifying resource version is not allowed when using continue',
  );
});

t.test('paging across writes gives one revision', async (t) => {
  const { widgets: registry } = await filled();
  for (let i = 0; i < 40; i++) await registry.create(demo, widget(`q${String(i).padStart(2, '0')}`));
  const whole = await registry.list(demo, '', all);
  let page = await registry.list(demo, '', { ...all, limit: 3 });
  const seen = [...page.items];
  for (let i = 0; page.continueToken !== undefined; i++) {
    await registry.create(demo, widget(`q${String(i).padStart(2, '0')}-b`));
    await registry.delete(demo, 'demo', `q${String(39 - i).padStart(2, '0')}`);
    page = await registry.list(demo, '', { ...all, limit: 3, continueToken: page.continueToken });
    t.equal(page.revision, whole.revision);
    seen.push(...page.items);
  }
  t.same(
    seen.map(({ key, revision }) => `${key}@${revision}`),
    whole.items.map(({ key, revision }) => `${key}@${revision}`),
  );
});

t.test('cluster-scoped resources list alike', async (t) => {
  const { widgets: registry } = openFixture({}, namespaces);
  for (const name of ['b', 'a']) {
    await registry.create(contextOf(), { kind: 'Namespace', apiVersion: 'v1', metadata: { name } });
  }
  const page = await registry.list(contextOf(), '', { limit: 1, labels: everything, fields: everything });
  t.same(names(page), ['a']);
  t.same(names(await registry.list(contextOf(), '', { ...all, continueToken: page.continueToken ?? '' })), [
    'b',
  ]);
  t.same(names(await registry.list(contextOf(), '', { ...all, fields: nameIsExactly('b') })), ['b']);
});

t.test('more objects than one page of the load', async (t) => {
  const { etcd, widgets: registry } = openFixture();
  for (let i = 0; i < 2500; i++) etcd.write(`${prefix}demo/w${i}`, JSON.stringify(widget(`w${i}`)));
  t.equal((await registry.list(demo, 'demo', all)).items.length, 2500);
  t.equal(etcd.calls.get('range'), 3);
});
