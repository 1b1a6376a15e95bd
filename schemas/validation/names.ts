/**
 * The forms that names, keys and values take. Each function lists what is wrong with a value as English phrases in
 * Kubernetes' own words; an empty list says it is good. They are called for every object, so the good case only runs a
 * pattern.
 */

/** Octets, as Go's len() counts. Names that pass their pattern are ASCII; others may be longer than their `length`. */
export function byteLength(value: string): number {
  return Buffer.byteLength(value);
}

/** Shared, so frozen: whoever pushes to it finds out. */
const GOOD = Object.freeze([]) as unknown as string[];

/** `… (e.g. 'a',  or 'b', regex used for validation is 'x')`, with the two spaces that clients know. */
function regexProblem(message: string, format: string, ...examples: string[]): string {
  const shown = examples.map((example, i) => `${i === 0 ? '' : ' or '}'${example}', `).join('');
  return examples.length === 0
    ? `${message} (regex used for validation is '${format}')`
    : `${message} (e.g. ${shown}regex used for validation is '${format}')`;
}

const maxLengthProblem = (max: number): string => `must be no more than ${max} characters`;
const emptyProblem = 'must be non-empty';
export const rangeProblem = (low: number, high: number): string =>
  `must be between ${low} and ${high}, inclusive`;

const LABEL_FORMAT = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN_FORMAT = `${LABEL_FORMAT}(\\.${LABEL_FORMAT})*`;
const WILDCARD_FORMAT = `\\*\\.${SUBDOMAIN_FORMAT}`;
const UNDERSCORE_LABEL_FORMAT = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const UNDERSCORE_SUBDOMAIN_FORMAT = `${UNDERSCORE_LABEL_FORMAT}(\\.${UNDERSCORE_LABEL_FORMAT})*`;
const DNS1035_FORMAT = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED_FORMAT = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE_FORMAT = `(${QUALIFIED_FORMAT})?`;
const CONFIG_KEY_FORMAT = '[-._a-zA-Z0-9]+';
const HEADER_NAME_FORMAT = '[-A-Za-z0-9]+';
const PERCENT_FORMAT = '[0-9]+%';
const CONDITION_REASON_FORMAT = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';

/** Go's `$` is the end of the text; so is JavaScript's without the m flag. */
const whole = (format: string): RegExp => new RegExp(`^${format}$`);
const LABEL = whole(LABEL_FORMAT);
const SUBDOMAIN = whole(SUBDOMAIN_FORMAT);
const UNDERSCORE_SUBDOMAIN = whole(UNDERSCORE_SUBDOMAIN_FORMAT);
const WILDCARD = whole(WILDCARD_FORMAT);
const DNS1035 = whole(DNS1035_FORMAT);
const QUALIFIED = whole(QUALIFIED_FORMAT);
const LABEL_VALUE = whole(LABEL_VALUE_FORMAT);
const CONFIG_KEY = whole(CONFIG_KEY_FORMAT);
const HEADER_NAME = whole(HEADER_NAME_FORMAT);
const PERCENT = whole(PERCENT_FORMAT);
const CONDITION_REASON = whole(CONDITION_REASON_FORMAT);

const DNS1123_LABEL_BYTES_MAX = 63;
const DNS1123_SUBDOMAIN_BYTES_MAX = 253;
const DNS1035_LABEL_BYTES_MAX = 63;
const QUALIFIED_NAME_BYTES_MAX = 63;
const LABEL_VALUE_BYTES_MAX = 63;
const PORT_NAME_BYTES_MAX = 15;

export function dns1123Label(value: string): string[] {
  if (value.length <= DNS1123_LABEL_BYTES_MAX && LABEL.test(value)) return GOOD;
  const problems: string[] = [];
  if (byteLength(value) > DNS1123_LABEL_BYTES_MAX) problems.push(maxLengthProblem(DNS1123_LABEL_BYTES_MAX));
  if (!LABEL.test(value)) {
    problems.push(
      SUBDOMAIN.test(value)
        ? 'must not contain dots'
        : regexProblem(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
            LABEL_FORMAT,
            'my-name',
            '123-abc',
          ),
    );
  }
  return problems;
}

export function dns1123Subdomain(value: string): string[] {
  if (value.length <= DNS1123_SUBDOMAIN_BYTES_MAX && SUBDOMAIN.test(value)) return GOOD;
  const problems: string[] = [];
  if (byteLength(value) > DNS1123_SUBDOMAIN_BYTES_MAX) {
    problems.push(maxLengthProblem(DNS1123_SUBDOMAIN_BYTES_MAX));
  }
  if (!SUBDOMAIN.test(value)) {
    problems.push(
      regexProblem(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        SUBDOMAIN_FORMAT,
        'example.com',
      ),
    );
  }
  return problems;
}

/** As dns1123Subdomain, with underscores: DNS search paths. */
export function dns1123SubdomainWithUnderscore(value: string): string[] {
  const problems: string[] = [];
  if (byteLength(value) > DNS1123_SUBDOMAIN_BYTES_MAX) {
    problems.push(maxLengthProblem(DNS1123_SUBDOMAIN_BYTES_MAX));
  }
  if (!UNDERSCORE_SUBDOMAIN.test(value)) {
    problems.push(
      regexProblem(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
        UNDERSCORE_SUBDOMAIN_FORMAT,
        'example.com',
      ),
    );
  }
  return problems;
}

/** `*.example.com`: all names one level below. */
export function wildcardSubdomain(value: string): string[] {
  const problems: string[] = [];
  if (byteLength(value) > DNS1123_SUBDOMAIN_BYTES_MAX) {
    problems.push(maxLengthProblem(DNS1123_SUBDOMAIN_BYTES_MAX));
  }
  if (!WILDCARD.test(value)) {
    problems.push(
      regexProblem(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        WILDCARD_FORMAT,
        '*.example.com',
      ),
    );
  }
  return problems;
}

export function dns1035Label(value: string): string[] {
  if (value.length <= DNS1035_LABEL_BYTES_MAX && DNS1035.test(value)) return GOOD;
  const problems: string[] = [];
  if (byteLength(value) > DNS1035_LABEL_BYTES_MAX) problems.push(maxLengthProblem(DNS1035_LABEL_BYTES_MAX));
  if (!DNS1035.test(value)) {
    problems.push(
      regexProblem(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        DNS1035_FORMAT,
        'my-name',
        'abc-123',
      ),
    );
  }
  return problems;
}

const QUALIFIED_MESSAGE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const qualifiedProblem = (subject: string): string =>
  regexProblem(`${subject} ${QUALIFIED_MESSAGE}`, QUALIFIED_FORMAT, 'MyName', 'my.name', '123-abc');

/** `name` or `subdomain/name`: keys of labels and annotations, finalizers, condition types, resource names. */
export function qualifiedName(value: string): string[] {
  const slash = value.indexOf('/');
  if (slash === -1 && value.length <= QUALIFIED_NAME_BYTES_MAX && QUALIFIED.test(value)) return GOOD;
  const problems: string[] = [];
  let name = value;
  if (slash !== -1) {
    const prefix = value.slice(0, slash);
    name = value.slice(slash + 1);
    if (name.includes('/')) {
      return [
        `${qualifiedProblem('a valid label key')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
      ];
    }
    if (prefix === '') problems.push(`prefix part ${emptyProblem}`);
    else for (const problem of dns1123Subdomain(prefix)) problems.push(`prefix part ${problem}`);
  }
  if (name === '') problems.push(`name part ${emptyProblem}`);
  else if (byteLength(name) > QUALIFIED_NAME_BYTES_MAX) {
    problems.push(`name part ${maxLengthProblem(QUALIFIED_NAME_BYTES_MAX)}`);
  }
  if (!QUALIFIED.test(name)) problems.push(qualifiedProblem('name part'));
  return problems;
}

export function labelValue(value: string): string[] {
  if (value.length <= LABEL_VALUE_BYTES_MAX && LABEL_VALUE.test(value)) return GOOD;
  const problems: string[] = [];
  if (byteLength(value) > LABEL_VALUE_BYTES_MAX) problems.push(maxLengthProblem(LABEL_VALUE_BYTES_MAX));
  if (!LABEL_VALUE.test(value)) {
    problems.push(
      regexProblem(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        LABEL_VALUE_FORMAT,
        'MyValue',
        'my_value',
        '12345',
      ),
    );
  }
  return problems;
}

/** IANA service names: `http`, `metrics-1`. */
export function portName(value: string): string[] {
  const problems: string[] = [];
  if (byteLength(value) > PORT_NAME_BYTES_MAX) problems.push(maxLengthProblem(PORT_NAME_BYTES_MAX));
  if (!/^[-a-z0-9]+$/.test(value)) {
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) problems.push('must contain at least one letter (a-z)');
  if (value.includes('--')) problems.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

export function portNumber(value: number): string[] {
  return value >= 1 && value <= 65535 ? GOOD : [rangeProblem(1, 65535)];
}

/** Unix user and group ids, 32 bits unsigned. */
export function userId(value: number): string[] {
  return value >= 0 && value <= 0xffffffff ? GOOD : [rangeProblem(0, 0xffffffff)];
}

export function percent(value: string): string[] {
  return PERCENT.test(value)
    ? GOOD
    : [
        regexProblem(
          "a valid percent string must be a numeric string followed by an ending '%'",
          PERCENT_FORMAT,
          '1%',
          '93%',
        ),
      ];
}

/** Why a condition is as it is, in one word. */
export function conditionReason(value: string): string[] {
  return CONDITION_REASON.test(value)
    ? GOOD
    : [
        regexProblem(
          "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
          CONDITION_REASON_FORMAT,
          'my_name',
          'MY_NAME',
          'MyName',
          'ReasonA,ReasonB',
          'ReasonA:ReasonB',
        ),
      ];
}

export function httpHeaderName(value: string): string[] {
  return HEADER_NAME.test(value)
    ? GOOD
    : [
        regexProblem(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          HEADER_NAME_FORMAT,
          'X-Header-Name',
        ),
      ];
}

/** Any printable ASCII but `=`. */
export function envVarName(value: string): string[] {
  if (value === '') return [`environment variable name ${emptyProblem}`];
  return /^[ -<>-~]+$/.test(value)
    ? GOOD
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** Keys of ConfigMaps and Secrets, which become file names. */
export function configMapKey(value: string): string[] {
  const problems: string[] = [];
  if (byteLength(value) > DNS1123_SUBDOMAIN_BYTES_MAX) {
    problems.push(maxLengthProblem(DNS1123_SUBDOMAIN_BYTES_MAX));
  }
  if (!CONFIG_KEY.test(value)) {
    problems.push(
      regexProblem(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        CONFIG_KEY_FORMAT,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  }
  if (value === '.') problems.push("must not be '.'");
  else if (value === '..') problems.push("must not be '..'");
  else if (value.startsWith('..')) problems.push("must not start with '..'");
  return problems;
}

/** Names that become a segment of a URL path, such as a role's. */
function pathSegmentName(value: string, prefix: boolean): string[] {
  if (!prefix && (value === '.' || value === '..')) return [`may not be '${value}'`];
  return ['/', '%'].filter((part) => value.includes(part)).map((part) => `may not contain '${part}'`);
}

/** A generateName ends in the middle of a name, so a trailing dash is masked by a letter before it is checked. */
const maskTrailingDash = (name: string): string =>
  name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;

/** Rules of metadata.name, in the form of ResourceDefinition.validateName. */
export const nameIs = {
  dns1123Subdomain: (name: string, prefix: boolean) =>
    dns1123Subdomain(prefix ? maskTrailingDash(name) : name),
  dns1123Label: (name: string, prefix: boolean) => dns1123Label(prefix ? maskTrailingDash(name) : name),
  dns1035Label: (name: string, prefix: boolean) => dns1035Label(prefix ? maskTrailingDash(name) : name),
  pathSegment: pathSegmentName,
} as const;
