/** Formats of schemas that are looked at. Others may be written, but authors are told. */
import { type Spec, versionsOf } from './custom-resource-definition-schema.js';
import { type JsonSchema, someSchema } from './json-schema.js';

/** Of strings, without dashes. */
const TEXT_FORMATS: ReadonlySet<string> = new Set(
  'bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn isbn10 isbn13 creditcard ssn hexcolor rgbcolor byte password date duration datetime quantity k8sshortname k8slongname'.split(
    ' ',
  ),
);

function isKnown({ type = '', format = '' }: JsonSchema): boolean {
  switch (type) {
    case '':
    case 'string':
      return TEXT_FORMATS.has(format.replaceAll('-', ''));
    case 'integer':
      return format === 'int32' || format === 'int64';
    case 'number':
      return format === 'float' || format === 'double';
    default:
      return false;
  }
}

function unknownFormats(spec: Spec): Set<string> {
  const unknown = new Set<string>();
  for (const { schema } of versionsOf(spec)) {
    someSchema(schema?.openAPIV3Schema, (one) => {
      if (one.format && !isKnown(one)) unknown.add(one.format);
      return false;
    });
  }
  return unknown;
}

/** Of formats that are new since `old`. */
export function formatWarnings(spec: Spec, old: Spec | undefined): string[] {
  const before = old === undefined ? new Set<string>() : unknownFormats(old);
  return [...unknownFormats(spec)]
    .filter((format) => !before.has(format))
    .map((format) => `unrecognized format ${JSON.stringify(format)}`);
}
