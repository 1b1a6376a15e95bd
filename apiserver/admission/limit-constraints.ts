/** What limit ranges forbid, each problem an English sentence in upstream's words. Pure. */
import type { LimitRangeItem } from '../../schemas/core/v1/limit-range.js';
import { podResources } from '../../schemas/core/v1/pod-qos.js';
import type { PodSpec } from '../../schemas/core/v1/pod-spec.js';
import type { KubeObject } from '../../schemas/definition.js';
import { compareQuantities, milliValue, quantityOf } from '../../schemas/meta/quantity.js';

type Amounts = Readonly<Record<string, string>>;

/** What one container, pod or claim asks for. */
interface Asked {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

type Constraint = (type: string, name: string, enforced: string, asked: Asked) => string | undefined;

const amountOf = (list: Amounts, name: string): string | undefined =>
  Object.hasOwn(list, name) ? list[name] : undefined;

const isLess = (a: string, b: string): boolean => compareQuantities(quantityOf(a), quantityOf(b)) < 0;

const minimum: Constraint = (type, name, enforced, { requests, limits }) => {
  const request = amountOf(requests, name);
  const limit = amountOf(limits, name);
  const rule = `minimum ${name} usage per ${type} is ${enforced}`;
  if (request === undefined) return `${rule}.  No request is specified`;
  if (isLess(request, enforced)) return `${rule}, but request is ${request}`;
  if (limit !== undefined && isLess(limit, enforced)) return `${rule}, but limit is ${limit}`;
  return undefined;
};

const maximum: Constraint = (type, name, enforced, { requests, limits }) => {
  const request = amountOf(requests, name);
  const limit = amountOf(limits, name);
  const rule = `maximum ${name} usage per ${type} is ${enforced}`;
  if (limit === undefined) return `${rule}.  No limit is specified`;
  if (isLess(enforced, limit)) return `${rule}, but limit is ${limit}`;
  if (request !== undefined && isLess(enforced, request)) return `${rule}, but request is ${request}`;
  return undefined;
};

/** Of claims, which have no limits of their own. */
const maximumRequest: Constraint = (type, name, enforced, { requests }) => {
  const request = amountOf(requests, name);
  const rule = `maximum ${name} usage per ${type} is ${enforced}`;
  if (request === undefined) return `${rule}.  No request is specified`;
  return isLess(enforced, request) ? `${rule}, but request is ${request}` : undefined;
};

const ratio: Constraint = (type, name, enforced, { requests, limits }) => {
  const rule = `${name} max limit to request ratio per ${type} is ${enforced}`;
  const request = milliValue(quantityOf(amountOf(requests, name)));
  const limit = milliValue(quantityOf(amountOf(limits, name)));
  if (request === 0n) return `${rule}, but no request is specified or request is 0`;
  if (limit === 0n) return `${rule}, but no limit is specified or limit is 0`;
  const provided = Number(limit) / Number(request);
  if (provided * 1000 <= Number(milliValue(quantityOf(enforced)))) return undefined;
  return `${rule}, but provided ratio is ${provided.toFixed(6)}`;
};

function check(
  problems: string[],
  { type = '' }: LimitRangeItem,
  bounds: Amounts | undefined,
  constraint: Constraint,
  asked: Asked,
): void {
  for (const [name, enforced] of Object.entries(bounds ?? {})) {
    const problem = constraint(type, name, enforced, asked);
    if (problem !== undefined) problems.push(problem);
  }
}

export function podProblems(spec: PodSpec, limits: readonly LimitRangeItem[]): string[] {
  const problems: string[] = [];
  for (const item of limits) {
    for (const asked of askedOf(spec, item.type)) {
      check(problems, item, item.min, minimum, asked);
      check(problems, item, item.max, maximum, asked);
      check(problems, item, item.maxLimitRequestRatio, ratio, asked);
    }
  }
  return problems;
}

function askedOf(spec: PodSpec, type: string | undefined): Asked[] {
  if (type === 'Pod') {
    return [{ requests: podResources(spec, 'requests'), limits: podResources(spec, 'limits') }];
  }
  if (type !== 'Container') return [];
  return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ resources }) => ({
    requests: resources?.requests ?? {},
    limits: resources?.limits ?? {},
  }));
}

export function claimProblems(claim: KubeObject, limits: readonly LimitRangeItem[]): string[] {
  const spec = claim['spec'] as { readonly resources?: { readonly requests?: Amounts } } | undefined;
  const asked: Asked = { requests: spec?.resources?.requests ?? {}, limits: {} };
  const problems: string[] = [];
  for (const item of limits) {
    if (item.type !== 'PersistentVolumeClaim') continue;
    check(problems, item, item.min, minimum, asked);
    check(problems, item, item.max, maximumRequest, asked);
  }
  return problems;
}
