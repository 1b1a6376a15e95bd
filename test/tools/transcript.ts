/** Compares an answer with one recorded from kube-apiserver, in which generated values stand as placeholders. */

export interface Exchange {
  readonly area: string;
  /** An HTTP method, or WATCH for a GET whose body is the list of events until its time-out. */
  readonly method: string;
  readonly path: string;
  readonly contentType?: string;
  readonly accept?: string;
  /** Sent as it is when a string, else as JSON. */
  readonly body?: unknown;
  readonly response: Answer;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly warning?: string;
}

/** What each placeholder stands for. */
const placeholders: Readonly<Record<string, string>> = {
  '<uid>': '[0-9a-f-]{36}',
  '<ts>': '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z',
  '<resourceVersion>': '\\d+',
  '<continue>': '[A-Za-z0-9_-]+',
  '<ip>': '10\\.0\\.0\\.\\d+',
  '<age>': '[0-9a-z<>]+',
  '<token>': '.+',
  '<x>': '[a-z0-9]{5}',
};
/** Values that were not made placeholders although each server makes its own. */
const generated: readonly [RegExp, string][] = [
  [/10\.0\.0\.\d+/g, '10\\.0\\.0\\.\\d+'],
  [/Bad_[a-z0-9]{5}/g, 'Bad_[a-z0-9]{5}'],
  [/2026-11-\d\dT\d\d:\d\d:\d\dZ/g, '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ'],
];

function pattern(expected: string): RegExp {
  let source = expected
    .replace(/(resourceVersion\\":\\")\d+/g, '$1<resourceVersion>')
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  for (const [placeholder, meaning] of Object.entries(placeholders)) {
    source = source.replaceAll(placeholder, meaning);
  }
  for (const [value, meaning] of generated) {
    source = source.replace(new RegExp(value.source.replaceAll('\\.', '\\\\\\.'), 'g'), meaning);
  }
  return new RegExp(`^${source}$`, 's');
}

/** Where `actual` is not what was recorded: one line a difference, empty when they agree. */
export function differences(expected: unknown, actual: unknown, path = ''): string[] {
  if (typeof expected === 'string' && typeof actual === 'string') {
    if (expected === actual || pattern(expected).test(actual)) return [];
    return [`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`];
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const lines: string[] = [];
    if (expected.length !== actual.length) {
      lines.push(`${path}: expected ${expected.length} items, got ${actual.length}`);
    }
    const shared = Math.min(expected.length, actual.length);
    for (let i = 0; i < shared; i++) lines.push(...differences(expected[i], actual[i], `${path}[${i}]`));
    return lines;
  }
  if (isObject(expected) && isObject(actual)) {
    const lines: string[] = [];
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      const at = path === '' ? key : `${path}.${key}`;
      if (!(key in actual)) lines.push(`${at}: missing, expected ${JSON.stringify(expected[key])}`);
      else if (!(key in expected)) lines.push(`${at}: not expected, got ${JSON.stringify(actual[key])}`);
      else lines.push(...differences(expected[key], actual[key], at));
    }
    return lines;
  }
  if (Object.is(expected, actual)) return [];
  return [`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same value without the fields of these names, at any depth. */
export function without(value: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, names));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !names.has(key))
      .map(([key, item]) => [key, without(item, names)]),
  );
}
