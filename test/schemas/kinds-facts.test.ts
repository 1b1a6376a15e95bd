/** Defaults and refusals of the kinds other than Pod against recordings of kube-apiserver 1.36.2. */
import t from 'tap';
import { builtinResources } from '../../schemas/index.js';
import { differences, without } from '../tools/transcript.js';
import { facts, skip } from './facts.js';
import { create, createInTime, createSubresource, definitionAt, type Outcome } from './pipeline.js';

interface Status {
  readonly kind: string;
  readonly message: string;
  readonly reason?: string;
  readonly details?: {
    readonly causes?: readonly {
      readonly reason: string;
      readonly message: string;
      readonly field: string;
    }[];
  };
}

/** What the server adds, or picks, when it stores an object. */
const GENERATED = new Set([
  'managedFields',
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'lastTransitionTime',
  'lastPhaseTransitionTime',
  'generation',
  'nodePort',
  'clusterIP',
  'clusterIPs',
]);

t.test('what comes back from a create equals the recorded defaults', { skip }, async (t) => {
  interface Row {
    readonly resource: string;
    readonly path: string;
    readonly request: unknown;
    readonly status: number;
    readonly response: unknown;
  }
  let compared = 0;
  for (const row of facts('create-defaults.json') as Row[]) {
    const found = definitionAt(row.path);
    if (found === undefined || row.status !== 201) continue;
    const { object, errors } = await createInTime(found.definition, row.request, 'oracle');
    t.same(errors, [], `${row.resource} is valid`);
    const lines = differences(without(row.response, GENERATED), without(object, GENERATED));
    // Which is admission's.
    const rest = lines.filter(
      (line) => !/^metadata\.finalizers: missing, expected .*-protection"\]$/.test(line),
    );
    t.same(rest, [], row.resource);
    compared++;
  }
  t.ok(compared >= 10, `${compared} kinds were compared`);
});

interface Exchange {
  readonly area: string;
  readonly method: string;
  readonly path: string;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly response: { readonly status: number; readonly body?: unknown };
}

/** What differs between a recorded refusal and an outcome. */
function refusalDifferences(status: Status, outcome: Outcome): string[] {
  if (outcome.typeError !== undefined) {
    return status.message.endsWith(`: ${outcome.typeError}`)
      ? []
      : [`${status.message} !== ${outcome.typeError}`];
  }
  return differences(status.details?.causes ?? [], outcome.errors);
}

t.test('creates are stored or refused as recorded', { skip }, (t) => {
  let compared = 0;
  for (const [i, exchange] of (facts('transcript.json') as Exchange[]).entries()) {
    const { method, path, contentType, body, response } = exchange;
    const found = definitionAt(path);
    // Bodies that are no object, of another version or with unknown fields are refused before a definition sees them.
    if (method !== 'POST' || found === undefined || contentType !== 'application/json') continue;
    if (typeof body !== 'object' || body === null || Array.isArray(body)) continue;
    if (found.definition.plural === 'pods' || path.includes('fieldValidation') || path.includes('/token'))
      continue;
    const recorded = response.body as Status & { readonly apiVersion?: string };
    const refused = recorded.kind === 'Status' && response.status !== 201;
    if (refused && recorded.reason !== 'Invalid' && !recorded.message.includes('cannot unmarshal')) continue;
    // Its answer is a new object, of which nothing comes from the definition.
    if (found.definition.plural === 'selfsubjectrulesreviews') continue;
    // Generated names are random.
    if ((body as { metadata?: { generateName?: string } }).metadata?.generateName !== undefined) continue;
    const outcome = found.subresource
      ? createSubresource(found.definition, found.subresource, body)
      : create(found.definition, body);
    const lines = refused
      ? refusalDifferences(recorded, outcome)
      : differences(without(recorded, GENERATED), without(withAnswer(outcome), GENERATED));
    t.same(lines, [], `${i} ${method} ${path} ${JSON.stringify(body).slice(0, 80)}`);
    compared++;
  }
  t.ok(compared >= 35, `${compared} exchanges were compared`);
  t.end();
});

/** Upstream's storage says so of these (`ReturnDeletedObject`), a Status is what the others answer with. */
const GIVEN_BACK = `
  persistentvolumeclaims persistentvolumes pods podtemplates resourcequotas serviceaccounts services
  deviceclasses resourceclaims resourceclaimtemplates resourceslices
  csidrivers csinodes storageclasses volumeattachments volumeattributesclasses`;

t.test('which kinds a deletion answers with, as they last were', (t) => {
  const found = builtinResources.filter(({ returnsDeletedObject }) => returnsDeletedObject === true);
  t.same(found.map(({ plural }) => plural).sort(), GIVEN_BACK.trim().split(/\s+/).sort());
  t.end();
});

/** Access reviews are answered by the API server: take its answer for given. */
function withAnswer({ object, errors }: Outcome): unknown {
  if (errors.length > 0) return errors;
  if (object?.kind === 'SelfSubjectAccessReview') return { ...object, status: { allowed: true } };
  return object;
}
