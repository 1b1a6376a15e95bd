/** Field selectors: `metadata.name=x,status.phase!=Running`; commas mean "and", a backslash escapes `,`, `=` and itself. */
import { goQuote } from '../../../schemas/go-quote.js';
import type { KubeObject, ResourceDefinition } from '../../../schemas/definition.js';
import { badRequest } from '../../errors.js';
import type { Selector } from '../types.js';
import { everything } from './labels.js';

interface TermText {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

interface Term extends TermText {
  readonly read: (object: KubeObject) => string;
}

const NAME = 'metadata.name';
const NAMESPACE = 'metadata.namespace';
const readName = (object: KubeObject) => object.metadata.name ?? '';
const readNamespace = (object: KubeObject) => object.metadata.namespace ?? '';

/** Throws the StatusError 400 for a selector that cannot be read and for a field that this resource does not offer. */
export function parseFieldSelector(text: string, definition: ResourceDefinition): Selector {
  return fieldSelectorOf(readFieldSelector(text), definition);
}

/** The terms of a selector, of whatever resource. */
export type FieldSelectorText = readonly TermText[];

/** Throws StatusError 400 for a selector that cannot be read. */
export const readFieldSelector = (text: string): FieldSelectorText =>
  splitTerms(text)
    .sort()
    .filter((part) => part !== '')
    .map((part) => parseTerm(text, part));

/** Throws StatusError 400 for a field that this resource does not offer. */
export function fieldSelectorOf(read: FieldSelectorText, definition: ResourceDefinition): Selector {
  const terms = read.map(
    ({ field, equal, value }): Term => ({ field, equal, value, read: readerOf(field, definition) }),
  );
  if (terms.length === 0) return everything;
  const exactName = terms.find((term) => term.field === NAME && term.equal)?.value ?? '';
  return {
    empty: false,
    matches: (object) => {
      for (const { read, equal, value } of terms) if ((read(object) === value) !== equal) return false;
      return true;
    },
    ...(exactName === '' ? {} : { exactName }),
    toString: () => terms.map(format).join(','),
  };
}

/** At commas that no backslash escapes. */
function splitTerms(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (char === '\\') index++;
    else if (char === ',') {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function parseTerm(selector: string, part: string): TermText {
  const match = /!=|==|=/.exec(part);
  if (match === null) throw badRequest(`invalid selector: '${selector}'; can't understand '${part}'`);
  const value = unescape(part.slice(match.index + match[0].length));
  return { field: part.slice(0, match.index), equal: match[0] !== '!=', value };
}

function unescape(text: string): string {
  if (!/[\\,=]/.test(text)) return text;
  let value = '';
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index);
    if (char === '\\') {
      const escaped = text.charAt(++index);
      if (escaped !== '\\' && escaped !== ',' && escaped !== '=') {
        throw badRequest(`invalid field selector: invalid escape sequence: \\${escaped}`);
      }
      value += escaped;
    } else if (char === ',' || char === '=') {
      // Upstream prints the character's code.
      throw badRequest(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`);
    } else {
      value += char;
    }
  }
  return value;
}

/** Kinds with field labels of their own refuse others in one way (`ownFieldLabels` says which), all others in another. */
function readerOf(field: string, definition: ResourceDefinition): Term['read'] {
  const { selectableFields, namespaced, ownFieldLabels } = definition;
  if (field === NAME) return readName;
  if (field === NAMESPACE && (namespaced || ownFieldLabels === undefined)) return readNamespace;
  const read = Object.hasOwn(selectableFields, field) ? selectableFields[field] : undefined;
  if (read !== undefined) return read;
  if (ownFieldLabels === true) throw badRequest(`field label not supported: ${field}`);
  if (ownFieldLabels === 'resource.k8s.io/v1, Kind=ResourceSlice') {
    throw badRequest(`field label not supported for ${ownFieldLabels}: ${field}`);
  }
  if (ownFieldLabels !== undefined) {
    throw badRequest(`field label ${goQuote(field)} not supported for ${ownFieldLabels}`);
  }
  throw badRequest(`${goQuote(field)} is not a known field selector: only "${NAME}", "${NAMESPACE}"`);
}

function format({ field, equal, value }: Term): string {
  return `${field}${equal ? '=' : '!='}${value.replace(/[\\,=]/g, '\\$&')}`;
}
