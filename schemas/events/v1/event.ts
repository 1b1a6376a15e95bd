/**
 * Event of events.k8s.io/v1: the same objects as core/v1 Events under newer names. They are stored as core/v1 Events,
 * so a rule of both is written once, over the stored form; errors name its fields.
 */
import { eventColumns, eventSource, type Event, events, validateEvent } from '../../core/v1/event.js';
import { type ObjectReference, objectReference } from '../../core/v1/references.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, invalid, required } from '../../field-error.js';
import { describe, int32, once, struct, text } from '../../fields.js';
import { kubeObject, microTime, time } from '../../meta/v1.js';
import { FIELD_IMMUTABLE } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';

/** Name here → name in core/v1, of fields that differ in nothing else. In Go's order. */
const RENAMED: Readonly<Record<string, keyof Event & string>> = {
  eventTime: 'eventTime',
  series: 'series',
  reportingController: 'reportingComponent',
  reportingInstance: 'reportingInstance',
  action: 'action',
  reason: 'reason',
  regarding: 'involvedObject',
  related: 'related',
  note: 'message',
  type: 'type',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
};

/** In core/v1 these are printed when they are empty, here they are not. */
const OMITTED_EMPTY = new Set(['reportingController', 'reportingInstance']);

/** The core/v1 Event that stands for an event of this group. */
export function toStored(object: KubeObject): Event {
  const stored: Event = { kind: 'Event', apiVersion: 'v1', metadata: object.metadata };
  for (const [name, core] of Object.entries(RENAMED)) {
    if (object[name] !== undefined) (stored as KubeObject)[core] = object[name];
  }
  return stored;
}

/** An event of this group, from the core/v1 Event that stands for it. */
export function fromStored(stored: KubeObject): KubeObject {
  const object: KubeObject = { kind: 'Event', apiVersion: 'events.k8s.io/v1', metadata: stored.metadata };
  for (const [name, core] of Object.entries(RENAMED)) {
    const value = stored[core];
    if (value !== undefined && !(value === '' && OMITTED_EMPTY.has(name))) object[name] = value;
  }
  return object;
}

const eventSeries = once(() =>
  struct(
    'io.k8s.api.events.v1.EventSeries',
    { count: int32({ default: 0 }), lastObservedTime: microTime({ printsNull: true }) },
    {
      description: 'How often and until when the same thing went on happening.',
      required: ['count', 'lastObservedTime'],
    },
  ),
);

const regarding = (field: keyof ObjectReference) => (object: KubeObject) =>
  toStored(object).involvedObject?.[field] ?? '';

const NEEDS_UNSET = 'needs to be unset';

/** This group asks for the newer form, with nothing of the older one. */
function validateCreate(object: KubeObject): FieldError[] {
  const event = toStored(object);
  const errors = validateSeries(event);
  if (!event.eventTime) errors.push(required('eventTime'));
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    errors.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`));
  }
  for (const field of ['firstTimestamp', 'lastTimestamp', 'count'] as const) {
    if (event[field]) errors.push(invalid(field, '', NEEDS_UNSET));
  }
  if (event.source?.component || event.source?.host) errors.push(invalid('source', '', NEEDS_UNSET));
  return errors;
}

function validateSeries({ series }: Event): FieldError[] {
  const errors: FieldError[] = [];
  if (series === undefined) return errors;
  if ((series.count ?? 0) < 2) errors.push(invalid('series.count', '', 'should be at least 2'));
  if (!series.lastObservedTime) errors.push(required('series.lastObservedTime'));
  return errors;
}

/** All but the series, in the order and under the names of errors: those of upstream's internal struct. */
const IMMUTABLE: Readonly<Record<string, keyof Event & string>> = {
  involvedObject: 'involvedObject',
  reason: 'reason',
  message: 'message',
  source: 'source',
  firstTimestamp: 'firstTimestamp',
  lastTimestamp: 'lastTimestamp',
  count: 'count',
  type: 'type',
  eventTime: 'eventTime',
  action: 'action',
  related: 'related',
  reportingController: 'reportingComponent',
  reportingInstance: 'reportingInstance',
};

function validateUpdate(object: KubeObject, oldObject: KubeObject): FieldError[] {
  const event = toStored(object);
  const old = toStored(oldObject);
  const errors = same(event.series, old.series) ? [] : validateSeries(event);
  for (const [field, name] of Object.entries(IMMUTABLE)) {
    if (!same(event[name], old[name])) errors.push(invalid(field, event[name], FIELD_IMMUTABLE));
  }
  return errors;
}

/** Both sides come from one decoder, so equal values have their fields in one order. */
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? '') === JSON.stringify(b ?? '');

const strategy: Strategy = {
  defaults(object) {
    object['eventTime'] ??= null;
    object['deprecatedFirstTimestamp'] ??= null;
    object['deprecatedLastTimestamp'] ??= null;
  },
  validate: (object) => validateEvent(toStored(object), 'reportingController'),
  validateCreate,
  validateUpdate,
};

export const eventsV1: ResourceDefinition = {
  ...events,
  group: 'events.k8s.io',
  schema: once(() =>
    kubeObject(
      'io.k8s.api.events.v1.Event',
      {
        eventTime: microTime({ printsNull: true, description: 'When it first happened.' }),
        series: eventSeries(),
        reportingController: text({
          omitEmpty: true,
          description: 'Name of the controller that reported it.',
        }),
        reportingInstance: text({ omitEmpty: true, description: 'Which instance of that controller.' }),
        action: text({ omitEmpty: true, description: 'What was done or tried.' }),
        reason: text({ omitEmpty: true, description: 'One word for what happened, for programs.' }),
        regarding: describe(objectReference(), { default: {}, description: 'What it happened to.' }),
        related: describe(objectReference(), { description: 'Another object that had to do with it.' }),
        note: text({ omitEmpty: true, description: 'What happened, for people.' }),
        type: text({ omitEmpty: true, description: 'Normal or Warning.' }),
        deprecatedSource: describe(eventSource(), { default: {} }),
        deprecatedFirstTimestamp: time({ printsNull: true }),
        deprecatedLastTimestamp: time({ printsNull: true }),
        deprecatedCount: int32({ omitEmpty: true }),
      },
      { description: events.description, required: ['eventTime'] },
    ),
  ),
  strategy,
  validateName: nameIs.dns1123Subdomain,
  columns: eventColumns.map((column) => ({
    ...column,
    cell: (object, now) => column.cell(toStored(object), now),
  })),
  selectableFields: {
    'regarding.kind': regarding('kind'),
    'regarding.namespace': regarding('namespace'),
    'regarding.name': regarding('name'),
    'regarding.uid': regarding('uid'),
    'regarding.apiVersion': regarding('apiVersion'),
    'regarding.resourceVersion': regarding('resourceVersion'),
    'regarding.fieldPath': regarding('fieldPath'),
    reason: (object) => toStored(object).reason ?? '',
    reportingController: (object) => toStored(object).reportingComponent ?? '',
    type: (object) => toStored(object).type ?? '',
  },
  storedAs: { resource: events, toStored, fromStored },
};
