/** From a label selector's text to its requirements, with the refusals of Kubernetes' own parser. */
import { invalid } from '../../../schemas/field-error.js';
import { labelValue, qualifiedName } from '../../../schemas/validation/names.js';
import { badRequest } from '../../errors.js';
import { type Operator, type Token, tokenize } from './label-lexer.js';

export interface Requirement {
  readonly key: string;
  readonly operator: Operator | 'exists';
  /** Without duplicates, sorted. */
  readonly values: readonly string[];
}

const BINARY_OPERATORS = 'in, notin, =, ==, !=, gt, lt';

/** Throws the StatusError 400. */
export function parseRequirements(text: string): Requirement[] {
  return new Parser(tokenize(text)).parse();
}

/** A 64-bit integer as Go reads one; undefined for anything else. */
export function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const number = text.startsWith('+') ? BigInt(text.slice(1)) : BigInt(text);
  return BigInt.asIntN(64, number) === number ? number : undefined;
}

const unparsable = (problem: string) => badRequest(`unable to parse requirement: ${problem}`);
const found = (token: Token, expected: string) => `found '${token.text}', expected: ${expected}`;

class Parser {
  #position = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const next = this.#peek();
      if (next.kind === 'end') return requirements;
      if (next.kind !== 'identifier' && next.kind !== '!') {
        throw badRequest(found(next, "!, identifier, or 'end of string'"));
      }
      requirements.push(this.#requirement());
      const separator = this.#take();
      if (separator.kind === 'end') return requirements;
      if (separator.kind !== ',') throw badRequest(found(separator, "',' or 'end of string'"));
      const after = this.#peek();
      if (after.kind !== 'identifier' && after.kind !== '!') {
        throw badRequest(found(after, "identifier after ','"));
      }
    }
  }

  /** Where a key or value may stand, `in` and `notin` are names like any other. */
  #peek(): Token {
    const token = this.tokens[this.#position] ?? { kind: 'end', text: '' };
    return token.kind === 'in' || token.kind === 'notin' ? { kind: 'identifier', text: token.text } : token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#position++;
    return token;
  }

  #requirement(): Requirement {
    let token = this.#take();
    const negated = token.kind === '!';
    if (negated) token = this.#take();
    if (token.kind !== 'identifier') throw unparsable(found(token, 'identifier'));
    const key = token.text;
    checkKey(key);
    const next = this.#peek();
    if (next.kind === 'end' || next.kind === ',') {
      return { key, operator: negated ? '!' : 'exists', values: [] };
    }
    if (negated) return { key, operator: '!', values: [] };
    const operator = this.#operator();
    const values = operator === 'in' || operator === 'notin' ? this.#values() : [this.#exactValue()];
    const requirement = { key, operator, values };
    checkValues(requirement);
    return requirement;
  }

  #operator(): Exclude<Operator, '!'> {
    const token = this.tokens[this.#position++] ?? { kind: 'end', text: '' };
    switch (token.kind) {
      case '=':
      case '==':
      case '!=':
      case '<':
      case '>':
      case 'in':
      case 'notin':
        return token.kind;
      default:
        throw unparsable(found(token, BINARY_OPERATORS));
    }
  }

  #exactValue(): string {
    const next = this.#peek();
    if (next.kind === 'end' || next.kind === ',') return '';
    const token = this.#take();
    if (token.kind !== 'identifier') throw unparsable(found(token, 'identifier'));
    return token.text;
  }

  #values(): string[] {
    const open = this.#take();
    if (open.kind !== '(') throw unparsable(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.kind === ')') {
      this.#take();
      return [''];
    }
    if (first.kind !== 'identifier' && first.kind !== ',') {
      throw unparsable(found(first, "',', ')' or identifier"));
    }
    const values = this.#valueList();
    if (this.#take().kind !== ')') throw unparsable(found(first, "')'"));
    return [...values].sort();
  }

  /** Names joined by commas, up to the closing parenthesis; two commas in a row hold an empty value. */
  #valueList(): Set<string> {
    const values = new Set<string>();
    for (;;) {
      const token = this.#take();
      if (token.kind === 'identifier') {
        values.add(token.text);
        const next = this.#peek();
        if (next.kind === ')') return values;
        if (next.kind !== ',') throw unparsable(found(next, "',' or ')'"));
      } else if (token.kind === ',') {
        if (values.size === 0) values.add('');
        const next = this.#peek();
        if (next.kind === ')' || next.kind === ',') values.add('');
        if (next.kind === ')') return values;
        if (next.kind === ',') this.#take();
      } else {
        throw unparsable(found(token, "',', or identifier"));
      }
    }
  }
}

function checkKey(key: string): void {
  const problems = qualifiedName(key);
  // The parser has no path to the field, which Go prints as <nil>.
  if (problems.length > 0) throw unparsable(invalidText('<nil>', key, problems.join('; ')));
}

function checkValues({ key, operator, values }: Requirement): void {
  const errors: string[] = [];
  for (const [index, value] of values.entries()) {
    if ((operator === '<' || operator === '>') && parseInt64(value) === undefined) {
      const detail = "for 'Gt', 'Lt' operators, the value must be an integer";
      errors.push(invalidText(`values[${index}]`, value, detail));
    }
  }
  for (const [index, value] of values.entries()) {
    const problems = labelValue(value);
    if (problems.length > 0) errors.push(invalidText(`values[${index}][${key}]`, value, problems.join('; ')));
  }
  if (errors.length === 1) throw unparsable(errors[0] ?? '');
  if (errors.length > 1) throw unparsable(`[${errors.join(', ')}]`);
}

function invalidText(field: string, value: string, detail: string): string {
  return `${field}: ${invalid(field, value, detail).message}`;
}
