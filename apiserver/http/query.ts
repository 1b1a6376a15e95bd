/** Single values of a query, read as Go's decoder of parameters reads them, with its error texts. */
import { goQuote } from '../../schemas/go-quote.js';
import { badRequest, internal } from '../errors.js';
import type { WantedRevision } from '../registry/types.js';
import { isTrue } from './request-info.js';

/** The first value, undefined where there is none or it is empty. */
export function text(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name);
  return value === null || value === '' ? undefined : value;
}

/** Absent: undefined. An empty value counts as true. */
export function flag(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name);
  return value === null ? undefined : isTrue(value);
}

/** A signed whole number. Throws StatusError 400 with Go's text. */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  const wrong = (why: string) => badRequest(`strconv.ParseInt: parsing ${goQuote(value)}: ${why}`);
  if (!/^[+-]?\d+$/.test(value)) throw wrong('invalid syntax');
  const big = BigInt(value.replace('+', ''));
  if (BigInt.asIntN(64, big) !== big) throw wrong('value out of range');
  return Number(big);
}

const revisionProblem = (value: string): string | undefined => {
  const wrong = (why: string) =>
    `resourceVersion: Invalid value: ${goQuote(value)}: strconv.ParseUint: parsing ${goQuote(value)}: ${why}`;
  if (!/^\d+$/.test(value)) return wrong('invalid syntax');
  const big = BigInt(value);
  return BigInt.asUintN(64, big) === big ? undefined : wrong('value out of range');
};

function toRevision(value: string): WantedRevision {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : BigInt(value);
}

/** resourceVersion of a list. Throws StatusError 400. */
export function listRevision(query: URLSearchParams): WantedRevision | undefined {
  const value = text(query, 'resourceVersion');
  if (value === undefined) return undefined;
  const problem = revisionProblem(value);
  if (problem !== undefined) throw badRequest(`invalid resource version: ${problem}`);
  return toRevision(value);
}

/** resourceVersion of a get or a watch, where upstream answers a wrong one with 500. */
export function revision(query: URLSearchParams): WantedRevision | undefined {
  const value = text(query, 'resourceVersion');
  if (value === undefined) return undefined;
  const problem = revisionProblem(value);
  if (problem !== undefined) throw internal(problem);
  return toRevision(value);
}
