/** Rules of webhooks, admission policies, API services and custom resource definitions, as kube-apiserver 1.36 has them. */
import t from 'tap';
import {
  mutatingWebhookConfigurations,
  validatingWebhookConfigurations,
} from '../../schemas/admissionregistration/v1/webhook-configurations.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { parseGoUrl } from '../../schemas/validation/go-url.js';
import { create, messages, update } from './pipeline.js';

type Fields = Record<string, unknown>;

/** As the store has it. */
function stored(definition: ResourceDefinition, body: Fields): KubeObject {
  const { object, errors } = create(definition, body);
  if (object === undefined || errors.length > 0) throw new Error(JSON.stringify(errors));
  return object;
}

const cellsOf = (definition: ResourceDefinition, object: KubeObject): unknown[] =>
  definition.columns.filter(({ name }) => name !== 'Age').map(({ cell }) => cell(object, 0));

const hook = (fields: Fields = {}): Fields => ({
  name: 'a.b.c',
  clientConfig: { url: 'https://x' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...fields,
});
const configuration = (...webhooks: Fields[]): Fields => ({ metadata: { name: 'x' }, webhooks });

t.test('webhooks: what older releases stored may stay', (t) => {
  for (const definition of [validatingWebhookConfigurations, mutatingWebhookConfigurations]) {
    const good = stored(definition, configuration(hook()));
    /** Refusals of `webhooks` over others that the store has got from somewhere. */
    const over = (old: Fields[], ...webhooks: Fields[]): string[] =>
      messages(update(definition, { ...good, webhooks: old }, configuration(...webhooks)));

    const some = hook({ sideEffects: 'Some' });
    t.same(over([some], some), []);
    t.same(over([hook()], some), [
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    ]);
    const twice = 'webhooks[1].name: Duplicate value: "a.b.c"';
    t.same(over([hook(), hook()], hook(), hook()), []);
    t.same(over([hook()], hook(), hook()), [twice]);
    const unknown = hook({ admissionReviewVersions: ['v9'] });
    t.same(over([unknown], unknown), []);
    t.same(over([hook()], unknown), [
      'webhooks[0].admissionReviewVersions: Invalid value: ["v9"]: must include at least one of v1, v1beta1',
    ]);
    const expressions = [{ key: 'a', operator: 'In', values: ['_bad'] }];
    const selecting = hook({ objectSelector: { matchExpressions: expressions } });
    t.same(over([selecting], selecting), []);
    t.match(over([hook()], selecting), [/^webhooks\[0\].objectSelector.matchExpressions\[0\].values\[0\]: /]);
    const blank = hook({ matchConditions: [{ name: 'x', expression: ' ' }] });
    t.same(over([blank], blank), [], 'conditions that do not change');
    t.same(over([hook()], blank), ['webhooks[0].matchConditions[0].expression: Required value']);
  }
  t.end();
});

t.test('webhooks: at most 64 conditions, counted in the table', (t) => {
  const conditions = (count: number): Fields =>
    hook({
      matchConditions: Array.from({ length: count }, (_, i) => ({ name: `c${i}`, expression: 'true' })),
    });
  const made = (count: number) =>
    messages(create(validatingWebhookConfigurations, configuration(conditions(count))));
  t.same(made(64), []);
  t.same(made(65), ['webhooks[0].matchConditions: Too many: 65: must have at most 64 items']);
  const object = stored(mutatingWebhookConfigurations, configuration(hook(), hook({ name: 'd.e.f' })));
  t.same(cellsOf(mutatingWebhookConfigurations, object), ['x', 2]);
  t.same(cellsOf(validatingWebhookConfigurations, { ...object, webhooks: undefined }), ['x', 0]);
  t.end();
});

t.test('names that will be reserved are warned of', (t) => {
  const named = (name: string) => stored(validatingWebhookConfigurations, { metadata: { name } });
  const warnings = (name: string) => validatingWebhookConfigurations.strategy.warnings?.(named(name));
  t.same(warnings('x.static.k8s.io.example'), []);
  t.same(warnings('x.static.k8s.io'), [
    'metadata.name: names ending with ".static.k8s.io" will be reserved for static manifest-based configurations when the ManifestBasedAdmissionControlConfig feature gate is enabled',
  ]);
  t.end();
});

t.test("URLs are taken apart as Go's net/url does", (t) => {
  const url = { scheme: 'https', host: 'a:1', user: undefined, query: '', fragment: '' };
  t.same(parseGoUrl('HTTPS://a:1/b'), url);
  t.same(parseGoUrl('https://u:p@[::1]:9/?a=b#c'), {
    ...url,
    host: '[::1]:9',
    user: 'u:p',
    query: 'a=b',
    fragment: 'c',
  });
  t.same(parseGoUrl('a/b'), { ...url, scheme: '', host: '' });
  t.same(parseGoUrl('mailto:x'), { ...url, scheme: 'mailto', host: '' });
  t.equal(parseGoUrl('://x'), 'parse "://x": missing protocol scheme');
  t.equal(parseGoUrl('1:2'), 'parse "1:2": first path segment in URL cannot contain colon');
  t.equal(parseGoUrl('https://a:b'), 'parse "https://a:b": invalid port ":b" after host');
  t.equal(parseGoUrl('https://[::1'), 'parse "https://[::1": missing \']\' in host');
  t.equal(parseGoUrl('https://a/%2'), 'parse "https://a/%2": invalid URL escape "%2"');
  t.equal(parseGoUrl('https://a b@c'), 'parse "https://a b@c": net/url: invalid userinfo');
  t.equal(parseGoUrl('a\n'), 'parse "a\\n": net/url: invalid control character in URL');
  t.end();
});
