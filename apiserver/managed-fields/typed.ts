/** What is wrong with what is applied: it must fit the schema, and its lists must not hold an item twice. */
import type { Json } from '../../schemas/walk.js';
import { goSyntax, goType, goValue } from './go-values.js';
import { itemKey, valueAt } from './list-items.js';
import { printKey } from './path-elements.js';
import {
  type AnyShape,
  type LeafShape,
  type ListShape,
  type MapShape,
  memberShape,
  type Shape,
  type StructShape,
} from './shape.js';
import { FieldsProblem } from './types.js';

/** Problems that one message lists, lest a body of wrong items be answered with a hundred times its size. */
const PROBLEMS_MAX = 1000;

/** Upstream's text; undefined when the value fits. Lists of live objects may hold an item twice. */
export function typeProblem(
  shape: StructShape,
  value: unknown,
  options: { readonly duplicates?: boolean } = {},
): string | undefined {
  const check = new Check(options.duplicates ?? false);
  check.value(shape, value);
  const { problems } = check;
  return problems.length > 1 ? ['errors:', ...problems.map((text) => `  ${text}`)].join('\n') : problems[0];
}

class Check {
  readonly problems: string[] = [];
  readonly #path: string[] = [];

  constructor(private readonly duplicates: boolean) {}

  value(shape: Shape, value: unknown): void {
    if (this.problems.length === PROBLEMS_MAX || value === null) return;
    switch (shape.kind) {
      case 'leaf':
        return this.#leaf(shape, value);
      case 'list':
        return Array.isArray(value)
          ? this.#list(shape, value)
          : this.#refuse(`expected list, got ${shown(value)}`);
      case 'any':
        return isMap(value) ? this.#members(shape, value) : undefined;
      default:
        return isMap(value) ? this.#members(shape, value) : this.#refuse(`expected map, got ${shown(value)}`);
    }
  }

  #leaf({ scalar }: LeafShape, value: unknown): void {
    const type = typeof value;
    if (scalar === 'numeric' && type !== 'number') {
      this.#refuse(`expected numeric (int or float), got ${goType(value)}`);
    } else if (scalar === 'string' && type !== 'string') {
      this.#refuse(`expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`);
    } else if (scalar === 'boolean' && type !== 'boolean') {
      this.#refuse(`expected boolean, got ${shown(value)}`);
    } else if (scalar === 'untyped' && type === 'object') {
      this.#refuse(`expected any scalar, got ${shown(value)}`);
    }
  }

  #list(list: ListShape, items: readonly unknown[]): void {
    const seen = new Set<string>();
    for (const [i, item] of items.entries()) {
      const key = list.relation === 'atomic' ? `i:${i}` : this.#keyOf(list, item, i);
      if (key === undefined) return;
      if (seen.has(key) && !this.duplicates) this.#refuse(`duplicate entries for key ${printKey(key)}`);
      seen.add(key);
      this.#below(key, list.item, item);
    }
  }

  #keyOf(list: ListShape, item: unknown, index: number): string | undefined {
    try {
      return itemKey(list, item);
    } catch (error) {
      if (!(error instanceof FieldsProblem)) throw error;
      this.#refuse(`element ${index}: ${error.message}`);
      return undefined;
    }
  }

  #members(shape: StructShape | MapShape | AnyShape, object: Json): void {
    for (const name of Object.keys(object)) {
      const below = memberShape(shape, name);
      if (below === undefined) {
        this.#path.push(`f:${name}`);
        this.#refuse('field not declared in schema');
        this.#path.pop();
        return;
      }
      this.#below(`f:${name}`, below, valueAt(object, name));
    }
  }

  #below(key: string, shape: Shape, value: unknown): void {
    this.#path.push(key);
    this.value(shape, value);
    this.#path.pop();
  }

  #refuse(problem: string): void {
    const path = this.#path.map(printKey).join('');
    if (this.problems.length < PROBLEMS_MAX)
      this.problems.push(path === '' ? problem : `${path}: ${problem}`);
  }
}

const isMap = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Go prints the box that it holds a value in. */
const shown = (value: unknown): string => `&{${goValue(value)}}`;
