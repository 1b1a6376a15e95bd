/** Event: something that happened to an object, kept for an hour. */
import { column, translateTimestampSince } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy, TableColumn } from '../../definition.js';
import { type FieldError, invalid, required } from '../../field-error.js';
import { describe, int32, once, struct, text } from '../../fields.js';
import { kubeObject, microTime, time } from '../../meta/v1.js';
import { byteLength, dns1123Subdomain, nameIs, qualifiedName } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import { type ObjectReference, objectReference } from './references.js';

/** Events are dropped by the store after this long. */
export const EVENT_TTL_SECONDS = 3600;
const SHORT_TEXT_BYTES_MAX = 128;
const MESSAGE_BYTES_MAX = 1024;

export const eventSource = once(() =>
  struct(
    'io.k8s.api.core.v1.EventSource',
    { component: text({ omitEmpty: true }), host: text({ omitEmpty: true }) },
    { description: 'Who reported an event, in the older form.' },
  ),
);

const eventSeries = once(() =>
  struct(
    'io.k8s.api.core.v1.EventSeries',
    { count: int32({ omitEmpty: true }), lastObservedTime: microTime({ printsNull: true }) },
    { description: 'How often and until when the same thing went on happening.' },
  ),
);

/** What code reads of an Event, in its stored form. */
export interface Event extends KubeObject {
  involvedObject?: ObjectReference;
  reason?: string;
  message?: string;
  source?: { component?: string; host?: string };
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  count?: number;
  type?: string;
  eventTime?: string | null;
  series?: { count?: number; lastObservedTime?: string | null };
  action?: string;
  related?: ObjectReference;
  reportingComponent?: string;
  reportingInstance?: string;
}
const read = (object: KubeObject): Event => object;

/** Go always prints these, empty or not. */
function defaults(object: KubeObject): void {
  const event = read(object);
  event.involvedObject ??= {};
  event.source ??= {};
  event.firstTimestamp ??= null;
  event.lastTimestamp ??= null;
  event.eventTime ??= null;
  event.reportingComponent ??= '';
  event.reportingInstance ??= '';
}

const NAMESPACE_MISMATCH = 'does not match event.namespace';

/**
 * Events without eventTime are of the older form, of which little is asked. `controllerField`: the name that the field
 * reportingComponent has for who writes.
 */
export function validateEvent(object: KubeObject, controllerField: string): FieldError[] {
  const event = read(object);
  const namespace = event.metadata.namespace ?? '';
  const involved = event.involvedObject?.namespace ?? '';
  const errors: FieldError[] = [];
  const mismatch = () => errors.push(invalid('involvedObject.namespace', involved, NAMESPACE_MISMATCH));
  if (event.eventTime) {
    if (involved === '' && namespace !== 'default' && namespace !== 'kube-system') mismatch();
    errors.push(...validateReport(event, controllerField));
  } else if (involved === '' ? namespace !== '' && namespace !== 'default' : involved !== namespace) {
    mismatch();
  }
  for (const problem of dns1123Subdomain(namespace)) errors.push(invalid('namespace', namespace, problem));
  return errors;
}

function validateReport(
  { reportingComponent: controller = '', message = '', ...event }: Event,
  controllerField: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (controller === '') errors.push(required(controllerField));
  for (const problem of qualifiedName(controller)) {
    errors.push(invalid(controllerField, controller, problem));
  }
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    const value = event[field] ?? '';
    if (value === '') errors.push(required(field));
    if (byteLength(value) > SHORT_TEXT_BYTES_MAX) {
      errors.push(invalid(field, '', `can have at most ${SHORT_TEXT_BYTES_MAX} characters`));
    }
  }
  if (byteLength(message) > MESSAGE_BYTES_MAX) {
    errors.push(invalid('message', '', `can have at most ${MESSAGE_BYTES_MAX} characters`));
  }
  return errors;
}

const strategy: Strategy = {
  defaults,
  validate: (object) => validateEvent(object, 'reportingComponent'),
};

/** First and last time, and how often: from whichever of the two forms the event has. */
function occurrences(event: Event, now: number): { first: string; last: string; count: number } {
  const first = translateTimestampSince(event.firstTimestamp || event.eventTime, now);
  if (event.series !== undefined) {
    const last = translateTimestampSince(event.series.lastObservedTime, now);
    return { first, last, count: event.series.count ?? 0 };
  }
  const last = event.lastTimestamp ? translateTimestampSince(event.lastTimestamp, now) : first;
  return { first, last, count: event.count || 1 };
}

function formatObject({ kind = '', name }: ObjectReference): string {
  return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase();
}

function formatSource(event: Event): string {
  const component = event.source?.component || event.reportingComponent || '';
  const instance = event.source?.host || event.reportingInstance || '';
  return instance === '' ? component : `${component}, ${instance}`;
}

export const eventColumns: readonly TableColumn[] = [
  column('Last Seen', 'Time since it last happened.', (o, now) => occurrences(read(o), now).last),
  column('Type', 'Normal or Warning.', (o) => read(o).type ?? ''),
  column('Reason', 'One word for what happened.', (o) => read(o).reason ?? ''),
  column('Object', 'What it happened to.', (o) => formatObject(read(o).involvedObject ?? {})),
  column('Subobject', 'The part that it happened to.', (o) => read(o).involvedObject?.fieldPath ?? '', {
    priority: 1,
  }),
  column('Source', 'Who reported it.', (o) => formatSource(read(o)), { priority: 1 }),
  column('Message', 'What happened, for people.', (o) => (read(o).message ?? '').trim()),
  column('First Seen', 'Time since it first happened.', (o, now) => occurrences(read(o), now).first, {
    priority: 1,
  }),
  column('Count', 'How often it happened.', (o, now) => occurrences(read(o), now).count, { priority: 1 }),
  column('Name', 'Name of the event.', (o) => o.metadata.name ?? '', { format: 'name', priority: 1 }),
];

const involved = (field: keyof ObjectReference) => (object: KubeObject) =>
  read(object).involvedObject?.[field] ?? '';

export const events: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'Event',
  listKind: 'EventList',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'events',
  timeToLiveSeconds: EVENT_TTL_SECONDS,
  description: 'Something that happened to an object; kept for an hour.',
  schema: once(() =>
    kubeObject(
      'io.k8s.api.core.v1.Event',
      {
        involvedObject: describe(objectReference(), { default: {}, description: 'What it happened to.' }),
        reason: text({ omitEmpty: true, description: 'One word for what happened, for programs.' }),
        message: text({ omitEmpty: true, description: 'What happened, for people.' }),
        source: describe(eventSource(), { default: {} }),
        firstTimestamp: time({ printsNull: true }),
        lastTimestamp: time({ printsNull: true }),
        count: int32({ omitEmpty: true }),
        type: text({ omitEmpty: true, description: 'Normal or Warning.' }),
        eventTime: microTime({ printsNull: true, description: 'When it first happened, in the newer form.' }),
        series: eventSeries(),
        action: text({ omitEmpty: true, description: 'What was done or tried.' }),
        related: describe(objectReference(), { description: 'Another object that had to do with it.' }),
        reportingComponent: text({ default: '', description: 'Name of the controller that reported it.' }),
        reportingInstance: text({ default: '', description: 'Which instance of that controller.' }),
      },
      {
        description: 'Something that happened to an object; kept for an hour.',
        required: ['metadata', 'involvedObject'] as never,
      },
    ),
  ),
  strategy,
  subresources: [],
  columns: eventColumns,
  selectableFields: {
    'involvedObject.kind': involved('kind'),
    'involvedObject.namespace': involved('namespace'),
    'involvedObject.name': involved('name'),
    'involvedObject.uid': involved('uid'),
    'involvedObject.apiVersion': involved('apiVersion'),
    'involvedObject.resourceVersion': involved('resourceVersion'),
    'involvedObject.fieldPath': involved('fieldPath'),
    reason: (object) => read(object).reason ?? '',
    reportingComponent: (object) => read(object).reportingComponent ?? '',
    source: (object) => read(object).source?.component || read(object).reportingComponent || '',
    type: (object) => read(object).type ?? '',
  },
  ownFieldLabels: true,
  // Upstream asks of these names no more than of any, of those of events.k8s.io more.
  validateName: nameIs.pathSegment,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: true,
};
