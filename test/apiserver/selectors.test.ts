/** Label and field selectors: the grammar, what matches, and the exact refusals of kube-apiserver. */
import * as fc from 'fast-check';
import t from 'tap';
import { StatusError } from '../../apiserver/errors.js';
import {
  everything,
  parseFieldSelector,
  parseLabelSelector,
} from '../../apiserver/registry/selectors/index.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { events } from '../../schemas/core/v1/event.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import { nodes } from '../../schemas/core/v1/node.js';
import { replicaSets } from '../../schemas/apps/v1/replica-set.js';
import { cronJobs } from '../../schemas/batch/v1/cron-job.js';
import { jobs } from '../../schemas/batch/v1/job.js';
import { replicationControllers } from '../../schemas/core/v1/replication-controller.js';
import { resourceSlices } from '../../schemas/resource/v1/resource-slice.js';

const labelled = (labels?: Record<string, string>): KubeObject => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name: 'p1', namespace: 'demo', ...(labels === undefined ? {} : { labels }) },
});

/** The message of the 400 that `parse` ends with. */
function refusal(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof StatusError && error.code === 400 && error.reason === 'BadRequest')
      return error.message;
    throw error;
  }
  return 'accepted';
}

t.test('a label selector matches as its operators say', (t) => {
  const web = { app: 'web', tier: 'front', count: '4', 'example.com/x': 'y', empty: '' };
  const rows: [selector: string, matches: boolean][] = [
    ['app', true],
    ['absent', false],
    ['!app', false],
    ['!absent', true],
    ['app=web', true],
    ['app==web', true],
    ['app=db', false],
    ['absent=', false],
    ['empty=', true],
    ['app!=web', false],
    ['app!=db', true],
    ['absent!=x', true],
    ['app in (db,web)', true],
    ['app in (db)', false],
    ['absent in (db)', false],
    ['app notin (db)', true],
    ['app notin (db,web)', false],
    ['absent notin (db)', true],
    ['count>3', true],
    ['count>4', false],
    ['count<5', true],
    ['app>3', false],
    ['absent<5', false],
    ['example.com/x=y', true],
    ['app=web,tier=front', true],
    ['app=web,tier=back', false],
    [' app = web , tier in ( front , back ) ', true],
    ['empty in ()', true],
    ['in=notin', false],
  ];
  for (const [selector, matches] of rows) {
    t.equal(parseLabelSelector(selector).matches(labelled(web)), matches, selector);
  }
  t.equal(parseLabelSelector('!app').matches(labelled()), true, 'objects without labels');
  t.end();
});

t.test('names that every object inherits are no labels', (t) => {
  for (const key of ['constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
    t.equal(parseLabelSelector(key).matches(labelled({})), false, `${key} exists`);
    t.equal(parseLabelSelector(`!${key}`).matches(labelled({})), true, `${key} does not exist`);
    t.equal(parseLabelSelector(`${key}!=a`).matches(labelled({})), true, `${key} is not a`);
    t.equal(parseLabelSelector(`${key} in (a)`).matches(labelled({})), false, `${key} in`);
  }
  t.end();
});

t.test('integers are compared as 64 bits wide', (t) => {
  const big = labelled({ n: '9223372036854775807' });
  t.equal(parseLabelSelector('n>9223372036854775806').matches(big), true);
  t.equal(parseLabelSelector('n<9223372036854775807').matches(big), false);
  t.equal(
    parseLabelSelector('n>1').matches(labelled({ n: '9223372036854775808' })),
    false,
    'too large a label',
  );
  t.match(
    refusal(() => parseLabelSelector('n>9223372036854775808')),
    'the value must be an integer',
  );
  t.end();
});

t.test('a label selector that cannot be read is refused with the text of kube-apiserver', (t) => {
  const unparsable = 'unable to parse requirement: ';
  const rows: [selector: string, message: string][] = [
    ['i in (', `${unparsable}found '', expected: ',', ')' or identifier`],
    ['i in (a', `${unparsable}found '', expected: ',' or ')'`],
    ['i in (a b)', `${unparsable}found 'b', expected: ',' or ')'`],
    ['i in a', `${unparsable}found 'a' expected: '('`],
    ['a b', `${unparsable}found 'b', expected: in, notin, =, ==, !=, gt, lt`],
    ['a!b', `${unparsable}found '!', expected: in, notin, =, ==, !=, gt, lt`],
    ['!', `${unparsable}found '', expected: identifier`],
    ['a==', 'accepted'],
    ['a=(', `${unparsable}found '(', expected: identifier`],
    ['=', `found '=', expected: !, identifier, or 'end of string'`],
    ['a,', `found '', expected: identifier after ','`],
    ['a,,b', `found ',', expected: identifier after ','`],
    ['a=b=c', `found '=', expected: ',' or 'end of string'`],
    [
      'bad/key/x=1',
      `${unparsable}<nil>: Invalid value: "bad/key/x": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ],
    [
      'a>x',
      `${unparsable}values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
    [
      'a=-',
      `${unparsable}values[0][a]: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
    ],
  ];
  for (const [selector, message] of rows) {
    t.equal(
      refusal(() => parseLabelSelector(selector)),
      message,
      selector,
    );
  }
  t.end();
});

t.test('a label selector prints in the form that parses to itself', (t) => {
  const word = fc.stringMatching(/^[a-z]([a-z0-9.-]{0,5}[a-z0-9])?$/);
  const requirement = fc.oneof(
    word,
    word.map((key) => `!${key}`),
    fc.tuple(word, fc.constantFrom('=', '==', '!='), word).map((parts) => parts.join('')),
    fc
      .tuple(word, fc.constantFrom('in', 'notin'), fc.array(word, { minLength: 1, maxLength: 3 }))
      .map(([key, operator, values]) => `${key} ${operator} (${values.join(', ')})`),
    fc.tuple(word, fc.constantFrom('<', '>'), fc.integer({ min: 0 })).map((parts) => parts.join('')),
  );
  const labels = fc.dictionary(word, word, { maxKeys: 4, noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(requirement, { minLength: 1, maxLength: 4 }), labels, (requirements, labels) => {
      const selector = parseLabelSelector(requirements.join(','));
      const again = parseLabelSelector(selector.toString());
      const object = labelled(labels);
      const each = requirements.every((one) => parseLabelSelector(one).matches(object));
      return (
        again.toString() === selector.toString() &&
        again.matches(object) === selector.matches(object) &&
        selector.matches(object) === each
      );
    }),
  );
  t.end();
});

t.test('an empty selector matches everything', (t) => {
  for (const selector of [
    everything,
    parseLabelSelector(''),
    parseFieldSelector('', configMaps),
    parseLabelSelector(' '),
  ]) {
    t.equal(selector.empty, true);
    t.equal(selector.matches(labelled()), true);
    t.equal(selector.toString(), '');
  }
  t.end();
});

t.test('a field selector matches name, namespace and the fields its kind offers', (t) => {
  const event: KubeObject = {
    ...labelled(),
    kind: 'Event',
    reason: 'Started',
    involvedObject: { name: 'p', kind: 'Pod' },
  };
  const rows: [selector: string, definition: ResourceDefinition, matches: boolean][] = [
    ['metadata.name=p1', configMaps, true],
    ['metadata.name==p1', configMaps, true],
    ['metadata.name!=p1', configMaps, false],
    ['metadata.namespace=demo', configMaps, true],
    ['metadata.namespace=other', configMaps, false],
    ['metadata.name=p1,metadata.name=p2', configMaps, false],
    ['involvedObject.name=p,reason=Started', events, true],
    ['involvedObject.name=p,reason!=Started', events, false],
    [',metadata.name=p1,', configMaps, true],
    ['status.successful=0', jobs, true],
    ['status.successful!=0', jobs, false],
    ['status.replicas=0,metadata.name=p1', replicationControllers, true],
    ['status.replicas=1', replicationControllers, false],
  ];
  for (const [selector, definition, matches] of rows) {
    t.equal(parseFieldSelector(selector, definition).matches(event), matches, selector);
  }
  t.end();
});

t.test('a selector of one name says which', (t) => {
  t.equal(parseFieldSelector('metadata.name=p1,metadata.namespace=x', configMaps).exactName, 'p1');
  t.equal(parseFieldSelector('metadata.name!=p1', configMaps).exactName, undefined);
  t.equal(parseFieldSelector('metadata.name=', configMaps).exactName, undefined, 'no object has no name');
  t.end();
});

t.test('values of a field selector may escape comma, equals sign and backslash', (t) => {
  const object: KubeObject = { ...labelled(), reason: 'a,b=c\\d' };
  const selector = parseFieldSelector('reason=a\\,b\\=c\\\\d', events);
  t.equal(selector.matches(object), true);
  t.equal(selector.toString(), 'reason=a\\,b\\=c\\\\d');
  t.end();
});

t.test(
  'a field selector that is not known or cannot be read is refused with the text of kube-apiserver',
  (t) => {
    const rows: [selector: string, definition: ResourceDefinition, message: string][] = [
      ['metadata.name', configMaps, "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
      [
        'nope=1',
        configMaps,
        '"nope" is not a known field selector: only "metadata.name", "metadata.namespace"',
      ],
      [
        'status.replicas=0',
        replicaSets,
        '"status.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"',
      ],
      ['foo=p', events, 'field label not supported: foo'],
      ['constructor=p', events, 'field label not supported: constructor'],
      ['metadata.namespace=p', nodes, 'field label not supported: metadata.namespace'],
      ['status.phase=p', replicationControllers, 'field label not supported: status.phase'],
      ['status.failed=1', jobs, 'field label "status.failed" not supported for batchv1.Job'],
      [
        'spec.pool=p',
        resourceSlices,
        'field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: spec.pool',
      ],
      [
        'status.active=1',
        cronJobs,
        '"status.active" is not a known field selector: only "metadata.name", "metadata.namespace"',
      ],
      ['reason=a=b', events, 'invalid field selector: unescaped character in value: 61'],
      ['reason=a\\x', events, 'invalid field selector: invalid escape sequence: \\x'],
      ['reason=a\\', events, 'invalid field selector: invalid escape sequence: \\'],
    ];
    for (const [selector, definition, message] of rows) {
      t.equal(
        refusal(() => parseFieldSelector(selector, definition)),
        message,
        selector,
      );
    }
    t.end();
  },
);
