/** ListOptions of meta.k8s.io/v1, from the query of a list, a watch or a deletion of a collection. */
import type { ResourceDefinition } from '../../schemas/definition.js';
import { type FieldError, forbidden, notSupported } from '../../schemas/field-error.js';
import { badRequest, invalid } from '../errors.js';
import {
  everything,
  fieldSelectorOf,
  type FieldSelectorText,
  parseFieldSelector,
  parseLabelSelector,
  readFieldSelector,
} from '../registry/selectors/index.js';
import type { ListOptions, Selector, WatchOptions } from '../registry/types.js';
import { watchTimeoutSecondsMin } from './limits.js';
import { flag, integer, listRevision, revision, text } from './query.js';

/** Longest delay that Node's timers take, in seconds. */
const timerSecondsMax = Math.floor(0x7fff_ffff / 1000);

export interface WatchRequest {
  readonly options: WatchOptions;
  readonly timeoutSeconds: number;
}

/** `name`: of the one object that the path names, on the old watch paths. Throws StatusError 400 or 422. */
export function parseListOptions(
  query: URLSearchParams,
  definition: ResourceDefinition,
  name = '',
): ListOptions {
  integer(query, 'timeoutSeconds');
  const limit = integer(query, 'limit') ?? 0;
  const read = readSelectors(query);
  const match = text(query, 'resourceVersionMatch');
  refuse(listProblems(query, match));
  const selectors = selectorsOf(read, definition, name);
  const resourceVersion = wantedRevision(query, limit, match);
  const continueToken = text(query, 'continue');
  return {
    ...selectors,
    limit: Math.max(0, limit),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(match === 'Exact' || match === 'NotOlderThan' ? { resourceVersionMatch: match } : {}),
    ...(continueToken === undefined ? {} : { continueToken }),
  };
}

/** Upstream knows zero by its one digit: in another spelling it is no exact revision, so that the newest is meant. */
function wantedRevision(query: URLSearchParams, limit: number, match: string | undefined) {
  const revision = listRevision(query);
  const isSpelledOut = revision === 0 && text(query, 'resourceVersion') !== '0';
  return isSpelledOut && (limit > 0 || match === 'Exact') ? undefined : revision;
}

/** Throws StatusError 400, 422 or, for a resourceVersion that is no number, 500. */
export function parseWatchOptions(
  query: URLSearchParams,
  definition: ResourceDefinition,
  name = '',
): WatchRequest {
  const timeout = integer(query, 'timeoutSeconds') ?? 0;
  integer(query, 'limit');
  const read = readSelectors(query);
  const asked = flag(query, 'sendInitialEvents');
  const askedMatch = text(query, 'resourceVersionMatch');
  const from = text(query, 'resourceVersion') ?? '';
  // What a watch from nothing in particular always did, upstream now says in the words of WatchList.
  const fromState = asked === undefined && askedMatch === undefined && (from === '' || from === '0');
  const sendInitialEvents = fromState ? true : asked;
  refuse(watchProblems(query, sendInitialEvents, fromState ? 'NotOlderThan' : askedMatch));
  const selectors = selectorsOf(read, definition, name);
  const resourceVersion = revision(query);
  const timeoutSeconds =
    timeout === 0
      ? Math.floor(watchTimeoutSecondsMin * (1 + Math.random()))
      : Math.min(Math.max(0, timeout), timerSecondsMax);
  return {
    options: {
      ...selectors,
      timeoutSeconds,
      allowBookmarks: flag(query, 'allowWatchBookmarks') ?? false,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(sendInitialEvents === undefined ? {} : { sendInitialEvents }),
    },
    timeoutSeconds,
  };
}

interface ReadSelectors {
  readonly labels: Selector;
  readonly fields: FieldSelectorText | undefined;
}

/** As far as they are read without knowing of what; that comes after all other options. Throws StatusError 400. */
function readSelectors(query: URLSearchParams): ReadSelectors {
  const labelText = text(query, 'labelSelector');
  const labels = labelText === undefined ? everything : parseLabelSelector(labelText);
  const fieldText = text(query, 'fieldSelector');
  return { labels, fields: fieldText === undefined ? undefined : readFieldSelector(fieldText) };
}

/** Throws StatusError 400. */
function selectorsOf(
  { labels, fields: read }: ReadSelectors,
  definition: ResourceDefinition,
  name: string,
): { labels: Selector; fields: Selector } {
  let fields = read === undefined ? everything : fieldSelectorOf(read, definition);
  if (name !== '') {
    if (!fields.empty && fields.exactName !== name) {
      throw badRequest(`fieldSelector metadata.name doesn't match requested name`);
    }
    if (fields.empty) fields = parseFieldSelector(`metadata.name=${escapeSelectorValue(name)}`, definition);
  }
  return { labels, fields };
}

/** Field selectors escape what separates their terms. */
const escapeSelectorValue = (value: string) => value.replace(/[\\,=]/g, '\\$&');

function refuse(problems: readonly FieldError[]): void {
  if (problems.length > 0) throw invalid({ group: 'meta.k8s.io', name: 'ListOptions' }, '', problems);
}

const matchField = 'resourceVersionMatch';

function listProblems(query: URLSearchParams, match: string | undefined): FieldError[] {
  const problems: FieldError[] = [];
  if (match !== undefined) {
    if (text(query, 'resourceVersion') === undefined) {
      problems.push(
        forbidden(matchField, 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
      );
    }
    if (text(query, 'continue') !== undefined) problems.push(notWithContinue);
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      problems.push(notSupported(matchField, match, ['Exact', 'NotOlderThan', '']));
    }
    if (match === 'Exact' && query.get('resourceVersion') === '0') {
      problems.push(
        forbidden(matchField, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
      );
    }
  }
  if (query.has('sendInitialEvents')) {
    problems.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  return problems;
}

const notWithContinue = forbidden(matchField, 'resourceVersionMatch is forbidden when continue is provided');

function watchProblems(
  query: URLSearchParams,
  sendInitialEvents: boolean | undefined,
  match: string | undefined,
): FieldError[] {
  const problems: FieldError[] = [];
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    problems.push(
      forbidden(matchField, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    );
  }
  if (match === undefined) return problems;
  if (sendInitialEvents === undefined) {
    problems.push(
      forbidden(
        matchField,
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
    );
  }
  if (match !== 'NotOlderThan') problems.push(notSupported(matchField, match, ['NotOlderThan']));
  if (text(query, 'continue') !== undefined) problems.push(notWithContinue);
  return problems;
}
