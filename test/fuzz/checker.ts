/** What must hold of every answer, whatever was asked. */
import { gunzipSync } from 'node:zlib';
import { parse as parseYaml } from 'yaml';
import { readOrdinaryYaml, UNSURE } from '../../apiserver/http/serializers/yaml-ordinary.js';
import type { Answer } from './answers.js';
import { knownErrors } from './server-errors.js';

export interface Asked {
  readonly method: string;
  readonly target: string;
  /** The answer may be the events of a watch that has ended. */
  readonly endless: boolean;
}

/** Of Kubernetes' reasons, the codes that go with them. */
const codesOfReasons: Readonly<Record<string, readonly number[]>> = {
  Unauthorized: [401],
  Forbidden: [403],
  NotFound: [404],
  AlreadyExists: [409],
  Conflict: [409],
  Gone: [410],
  Expired: [410],
  Invalid: [422],
  BadRequest: [400],
  MethodNotAllowed: [405],
  NotAcceptable: [406],
  RequestEntityTooLarge: [413],
  RequestURITooLong: [414],
  UnsupportedMediaType: [415],
  TooManyRequests: [429],
  InternalError: [500],
  ServerTimeout: [500],
  ServiceUnavailable: [503],
  Timeout: [504],
};

/** Words of JavaScript, of our files and of our libraries: no request holds any (vocabulary.ts). */
const inside =
  /\n\s+at |node_modules|node:internal|file:\/\/|\.[jt]s:\d|\bdist\/|\/tmp\/|(?:Type|Range|Syntax|Reference|Zod|Sqlite|Etcd)Error|FST_ERR|SQLITE_|ERR_[A-Z]|Cannot read propert|is not a function|is not iterable|Unexpected token|JSON at position|call stack|(?<!must be (?:true or )?)\bundefined\b|\[object |(?<!unsupported value: )\bNaN\b/;

const statusFields: ReadonlySet<string> = new Set([
  'kind',
  'apiVersion',
  'metadata',
  'status',
  'message',
  'reason',
  'details',
  'code',
]);
const detailFields: ReadonlySet<string> = new Set([
  'name',
  'group',
  'kind',
  'uid',
  'causes',
  'retryAfterSeconds',
]);

/** Nothing is answered that takes more to say. */
const BODY_BYTES_MAX = 256 * 1024 * 1024;
const CAUSES_MAX = 10_000;

type Json = Readonly<Record<string, unknown>>;

/** What is wrong with an answer, one line each; empty when it is good. */
export function problemsOf(asked: Asked, answer: Answer): string[] {
  const problems: string[] = [];
  const { status, headers, body } = answer;
  for (const [name, values] of headers) {
    if (values.length > 1 && name !== 'warning' && name !== 'vary')
      problems.push(`${values.length} headers ${name}`);
    for (const value of values)
      if (inside.test(value)) problems.push(`the header ${name} tells of the inside: ${value}`);
  }
  for (const warning of headers.get('warning') ?? []) {
    // Node joins a header that comes several times.
    if (!/^299 - "(?:[^"\\]|\\.)*"(?:, 299 - "(?:[^"\\]|\\.)*")*$/.test(warning))
      problems.push(`no warning: ${warning}`);
  }
  if (body.length > BODY_BYTES_MAX) problems.push(`a body of ${body.length} bytes`);
  if (asked.method === 'HEAD' || status === 204 || status === 304 || status === 101) {
    if (status >= 500 && asked.method !== 'HEAD') problems.push(`${status} without a body`);
    return problems;
  }
  try {
    const text = content(answer);
    // Whatever else may be large says how long it is; HTTP/2 has no other word for an answer without an end.
    const isWatch =
      asked.endless &&
      status === 200 &&
      !headers.has('content-length') &&
      !headers.has('content-encoding') &&
      // It may have ended before there was anything to tell.
      (text.length === 0 || text.at(-1) === 0x0a || text[0] === 0);
    problems.push(...(isWatch ? problemsOfEvents(text) : problemsOfBody(asked, answer, text)));
  } catch (error) {
    problems.push(`the body cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return problems;
}

function content({ headers, body }: Answer): Buffer {
  const encoding = headers.get('content-encoding')?.[0];
  if (encoding === undefined) return body;
  if (encoding !== 'gzip') throw new Error(`Content-Encoding: ${encoding}`);
  return gunzipSync(body, { maxOutputLength: BODY_BYTES_MAX });
}

function problemsOfBody(asked: Asked, { status, headers }: Answer, body: Buffer): string[] {
  const type = headers.get('content-type')?.[0] ?? '';
  if (type.startsWith('application/json')) return problemsOfJson(asked, status, headers, body.toString());
  if (type.startsWith('application/yaml')) {
    const value = valueOfYaml(body.toString());
    return isJson(value) ? problemsOfValue(status, headers, value) : ['the YAML is no object'];
  }
  if (type.startsWith('application/vnd.kubernetes.protobuf')) {
    return body.subarray(0, 4).equals(Buffer.from('k8s\0')) ? [] : ['the protobuf has no envelope'];
  }
  // The keys of tokens (RFC 7517).
  if (type === 'application/jwk-set+json') return isJson(JSON.parse(body.toString())) ? [] : ['no key set'];
  if (type === '') return problemsOfNothing(status, headers, body);
  if (!type.startsWith('text/plain')) return [`Content-Type: ${type}`];
  const text = body.toString();
  const problems = inside.test(text) ? [`the text tells of the inside: ${text.slice(0, 300)}`] : [];
  // Health checks say in text what is not well; nothing is unwell in a run.
  if (status >= 500) problems.push(`${status} ${text.slice(0, 300)}`);
  // OpenAPI in a form that there is not is refused without a word, upstream too.
  if (status >= 400 && status !== 406 && text === '') problems.push('an empty text');
  return problems;
}

/** The library takes a second and half a gigabyte for a megabyte: of more than this it reads the first items alone. */
const YAML_CHARACTERS_MAX = 64 * 1024;

function valueOfYaml(text: string): unknown {
  const ordinary = readOrdinaryYaml(text);
  if (ordinary !== UNSURE) return ordinary;
  const shortened = text.length > YAML_CHARACTERS_MAX ? firstItems(text) : text;
  // Not version 1.1, of which the library takes a lone dot for a number, unlike Go's.
  return parseYaml(shortened, { maxAliasCount: 0 });
}

/** Without most of the items of a list, or of the members of anything else. */
function firstItems(text: string): string {
  const end = Math.max(...['\n- ', '\nmetadata:'].map((mark) => text.lastIndexOf(mark, YAML_CHARACTERS_MAX)));
  const head = text.slice(0, end);
  return head.includes('\nkind: ') ? head : head + text.slice(text.lastIndexOf('\nkind: '));
}

/** What Node answers by itself to what is no HTTP. */
function problemsOfNothing(status: number, headers: Answer['headers'], body: Buffer): string[] {
  if (![400, 408, 413, 417, 431].includes(status) || body.length > 0)
    return [`${status} without a Content-Type, ${body.length} bytes`];
  const closes = headers.get('connection')?.[0]?.toLowerCase() === 'close';
  return closes || status === 417 ? [] : [`${status} without a body goes on`];
}

function problemsOfJson(asked: Asked, status: number, headers: Answer['headers'], text: string): string[] {
  const value: unknown = JSON.parse(text);
  if (!isJson(value)) return ['the JSON is no object'];
  const problems = problemsOfValue(status, headers, value);
  if (status < 300 && asked.method !== 'OPTIONS') problems.push(...problemsOfSuccess(asked, value));
  return problems;
}

const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function problemsOfValue(status: number, headers: Answer['headers'], value: Json): string[] {
  if (status >= 400) return problemsOfStatus(status, headers, value);
  return value['kind'] === 'Status' && value['status'] !== 'Success'
    ? [`${status} with the failure ${String(value['message'])}`]
    : [];
}

/** Objects and lists say what they are; documents such as /version do not. */
function problemsOfSuccess({ target }: Asked, value: Json): string[] {
  if (!/^\/+apis?\//.test(target)) return [];
  const { kind, metadata } = value;
  if (typeof kind !== 'string' || kind === '') return ['an object without a kind'];
  // The oldest discovery documents have no apiVersion.
  if (typeof value['apiVersion'] !== 'string' && kind !== 'APIResourceList' && kind !== 'APIVersions')
    return [`${kind} without an apiVersion`];
  if (Array.isArray(value['items']) && !isJson(metadata)) return [`${kind} without metadata`];
  return [];
}

function problemsOfStatus(status: number, headers: Answer['headers'], value: Json): string[] {
  const problems: string[] = [];
  const { kind, apiVersion, metadata, code, message, reason, details } = value;
  if (kind !== 'Status' || apiVersion !== 'v1' || !isJson(metadata) || value['status'] !== 'Failure') {
    return [`${status} with no Status: ${JSON.stringify(value).slice(0, 300)}`];
  }
  for (const field of Object.keys(value))
    if (!statusFields.has(field)) problems.push(`a Status has no ${field}`);
  if (code !== status)
    problems.push(`the code of the Status is ${String(code)}, that of the answer ${status}`);
  if (typeof message !== 'string' || message === '') return [...problems, `${status} says nothing`];
  if (inside.test(JSON.stringify(value)))
    problems.push(`${status} tells of the inside: ${message.slice(0, 500)}`);
  if (typeof reason === 'string') {
    if (!(codesOfReasons[reason] ?? []).includes(status))
      problems.push(`${status} with the reason ${reason}: ${message.slice(0, 300)}`);
  } else if (status < 500) problems.push(`${status} without a reason: ${message.slice(0, 300)}`);
  if (details !== undefined) problems.push(...problemsOfDetails(headers, details));
  if (status >= 500) {
    const known = knownErrors.some(
      (error) => error.code === status && error.reason === reason && error.message.test(message),
    );
    if (!known) problems.push(`${status} ${String(reason)}: ${message.slice(0, 500)}`);
  }
  return problems;
}

function problemsOfDetails(headers: Answer['headers'], details: unknown): string[] {
  if (!isJson(details)) return ['details are no object'];
  const problems: string[] = [];
  for (const field of Object.keys(details))
    if (!detailFields.has(field)) problems.push(`details have no ${field}`);
  for (const field of ['name', 'group', 'kind', 'uid']) {
    const text = details[field];
    if (text !== undefined && (typeof text !== 'string' || text === ''))
      problems.push(`details.${field} is ${JSON.stringify(text)}`);
  }
  const seconds = details['retryAfterSeconds'];
  if (
    seconds !== undefined &&
    (typeof seconds !== 'number' || headers.get('retry-after')?.[0] !== String(seconds))
  ) {
    problems.push('retryAfterSeconds is not in Retry-After');
  }
  const causes = details['causes'] ?? [];
  if (!Array.isArray(causes) || causes.length > CAUSES_MAX)
    return [...problems, 'details.causes is no list, or too long'];
  for (const cause of causes as unknown[]) {
    if (!isJson(cause)) problems.push('a cause is no object');
    else if (typeof cause['message'] !== 'string' || cause['message'] === '')
      problems.push('a cause without a message');
    else if (!['string', 'undefined'].includes(typeof cause['field']))
      problems.push('the field of a cause is no text');
  }
  return problems;
}

/** What is wrong with what a watch has sent so far: whole lines, each an event; of protobuf, frames after their length. */
export function problemsOfEvents(sent: Buffer): string[] {
  // No line of JSON begins like this, and every frame is shorter than 16 MiB.
  if (sent[0] === 0) return problemsOfFrames(sent);
  const lines = sent.toString().split('\n').slice(0, -1);
  for (const line of lines) {
    let event: unknown;
    try {
      event = JSON.parse(line);
    } catch {
      return [`no event: ${line.slice(0, 300)}`];
    }
    if (!isJson(event) || !isJson(event['object']) || !eventTypes.has(String(event['type']))) {
      return [`no event: ${line.slice(0, 300)}`];
    }
    if (event['type'] !== 'ERROR') continue;
    const object = event['object'];
    const problems = problemsOfStatus(Number(object['code']), new Map(), { ...object, details: undefined });
    if (problems.length > 0) return problems;
  }
  return [];
}

const eventTypes: ReadonlySet<string> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);

const FRAME_BYTES_MAX = 4 * 1024 * 1024;

function problemsOfFrames(sent: Buffer): string[] {
  let at = 0;
  while (at + 4 <= sent.length) {
    const length = sent.readUInt32BE(at);
    if (length === 0 || length > FRAME_BYTES_MAX) return [`a frame of ${length} bytes`];
    at += 4 + length;
  }
  return [];
}
