/**
 * Brings a set that was written under an earlier schema, or by a client, to the schema: what has become atomic is owned as
 * a whole, and who owned as a whole what is merged item by item now owns the items that are there.
 */
import type { Json } from '../../schemas/walk.js';
import { asMember, isEmpty, LEAF, SELF } from './field-set.js';
import { setOfValue } from './set-of-value.js';
import { type Shape, shapeBelow, type StructShape } from './shape.js';
import { FieldsProblem, type FieldsV1 } from './types.js';

/** The set itself where nothing is to be done. Throws FieldsProblem for what the schema does not have. */
export function reconcile(shape: StructShape, set: FieldsV1, live: Json): FieldsV1 {
  let ofLive: FieldsV1 | undefined;
  const path: string[] = [];

  /** What is below the present path in the live object. */
  const liveNode = (): FieldsV1 => {
    ofLive ??= setOfValue(shape, live);
    let node: FieldsV1 | undefined = ofLive;
    for (const key of path) node = node?.[key];
    return node ?? LEAF;
  };

  const visit = (at: Shape, node: FieldsV1): FieldsV1 => {
    if (at.kind === 'leaf') return node;
    const atomic = at.kind === 'list' ? at.relation === 'atomic' : at.kind !== 'any' && at.atomic;
    const whole = path.length > 0 && isEmpty(node);
    if (atomic) return whole ? node : LEAF;
    if (whole) {
      const items = liveNode();
      return isEmpty(items) ? node : asMember(items);
    }
    let changed: Record<string, FieldsV1> | undefined;
    for (const key in node) {
      if (key === SELF) continue;
      const below = shapeBelow(at, key);
      if (below === undefined) throw new FieldsProblem(undeclared(at, key));
      path.push(key);
      const before = node[key]!;
      const after = visit(below, before);
      path.pop();
      if (after === before) continue;
      changed ??= { ...node };
      changed[key] = after;
    }
    return changed ?? node;
  };
  return visit(shape, set);
}

const undeclared = (at: Shape, key: string): string =>
  `errors reconciling field set with schema: ${
    at.kind === 'struct'
      ? `.${key.slice(2)}: field not declared in schema`
      : `${key} names nothing in the schema`
  }`;
