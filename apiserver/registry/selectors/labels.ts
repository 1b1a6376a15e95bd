/**
 * Label selectors: `a`, `!a`, `a=b`, `a==b`, `a!=b`, `a in (x,y)`, `a notin (x,y)`, `a>3`, `a<3`, joined by commas
 * that mean "and".
 */
import type { KubeObject } from '../../../schemas/definition.js';
import type { Selector } from '../types.js';
import { parseInt64, parseRequirements, type Requirement } from './label-parser.js';

type Labels = Readonly<Record<string, string>>;

type LabelTest = (labels: Labels) => boolean;

const NO_LABELS: Labels = {};

/** Matches every object. */
export const everything: Selector = { empty: true, matches: () => true, toString: () => '' };

/** Throws the StatusError 400 with the text that says where the selector goes wrong. */
export function parseLabelSelector(text: string): Selector {
  if (text === '') return everything;
  const requirements = parseRequirements(text);
  if (requirements.length === 0) return everything;
  requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return {
    empty: false,
    matches: matcher(requirements.map(testOf)),
    toString: () => requirements.map(format).join(','),
  };
}

function matcher(tests: readonly LabelTest[]): (object: KubeObject) => boolean {
  const [first] = tests;
  if (first !== undefined && tests.length === 1) {
    return (object) => first(object.metadata.labels ?? NO_LABELS);
  }
  return (object) => {
    const labels = object.metadata.labels ?? NO_LABELS;
    for (const test of tests) if (!test(labels)) return false;
    return true;
  };
}

/**
 * Label values are strings and nothing that a plain object inherits is one, so `typeof … === 'string'` tells a label
 * from `constructor` or `toString` without a call.
 */
function testOf({ key, operator, values }: Requirement): LabelTest {
  const value = values[0] ?? '';
  switch (operator) {
    case 'exists':
      return (labels) => typeof labels[key] === 'string';
    case '!':
      return (labels) => typeof labels[key] !== 'string';
    case '=':
    case '==':
      return (labels) => labels[key] === value;
    case '!=':
      return (labels) => labels[key] !== value;
    case 'in': {
      const set = new Set<unknown>(values);
      return (labels) => set.has(labels[key]);
    }
    case 'notin': {
      const set = new Set<unknown>(values);
      return (labels) => !set.has(labels[key]);
    }
    default:
      return orderTest(key, operator, parseInt64(value) ?? 0n);
  }
}

function orderTest(key: string, operator: '<' | '>', bound: bigint): LabelTest {
  return (labels) => {
    const value = labels[key];
    if (typeof value !== 'string') return false;
    const number = parseInt64(value);
    if (number === undefined) return false;
    return operator === '<' ? number < bound : number > bound;
  };
}

function format({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    default:
      return `${key}${operator}${values[0] ?? ''}`;
  }
}
