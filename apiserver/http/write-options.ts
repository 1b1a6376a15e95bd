/** CreateOptions, UpdateOptions, PatchOptions and DeleteOptions of meta.k8s.io/v1, from query and body. */
import {
  type FieldError,
  forbidden,
  invalid as invalidField,
  notSupported,
  required,
} from '../../schemas/field-error.js';
import { validateFieldManager } from '../../schemas/validation/field-manager.js';
import { badRequest, invalid } from '../errors.js';
import type { DeleteOptions, WriteOptions } from '../registry/types.js';
import { flag, integer, text } from './query.js';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface ParsedWriteOptions extends WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
}

const plain: ParsedWriteOptions = { dryRun: false, fieldValidation: 'Warn' };

/** `kind` names the options in error texts. Throws StatusError 422. */
export function parseWriteOptions(
  query: URLSearchParams,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
): ParsedWriteOptions {
  const forceProblem = (): FieldError[] =>
    kind === 'PatchOptions' && flag(query, 'force') !== undefined
      ? [forbidden('force', 'may not be specified for non-apply patch')]
      : [];
  return query.size === 0 ? plain : checkWriteOptions(query, kind, forceProblem());
}

export interface ParsedApplyOptions extends ParsedWriteOptions {
  readonly force: boolean;
}

/** Of server-side apply, which wants to know who applies. Throws StatusError 422. */
export function parseApplyOptions(query: URLSearchParams): ParsedApplyOptions {
  const force = flag(query, 'force') ?? false;
  const nobody = (text(query, 'fieldManager') ?? '') === '';
  const problems = nobody ? [required('fieldManager', 'is required for apply patch')] : [];
  return { ...checkWriteOptions(query, 'PatchOptions', problems), force };
}

function checkWriteOptions(
  query: URLSearchParams,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  problems: FieldError[],
): ParsedWriteOptions {
  const dryRun = query.getAll('dryRun');
  const fieldManager = text(query, 'fieldManager');
  const fieldValidation = text(query, 'fieldValidation') ?? 'Warn';
  validateFieldManager(problems, fieldManager ?? '', 'fieldManager');
  problems.push(...dryRunProblems(dryRun));
  if (fieldValidation !== 'Ignore' && fieldValidation !== 'Warn' && fieldValidation !== 'Strict') {
    problems.push(notSupported('fieldValidation', fieldValidation, ['', 'Ignore', 'Strict', 'Warn']));
  }
  if (problems.length > 0) throw invalid({ group: 'meta.k8s.io', name: kind }, '', problems);
  return {
    dryRun: dryRun.length > 0,
    fieldValidation: fieldValidation as FieldValidation,
    ...(fieldManager === undefined ? {} : { fieldManager }),
  };
}

const dryRunProblems = (dryRun: readonly string[]): FieldError[] =>
  dryRun.every((value) => value === 'All') ? [] : [notSupported('dryRun', dryRun, ['All'])];

/** DeleteOptions as they stand in a body, loosely typed: everything is checked here. */
export interface DeleteOptionsBody {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly orphanDependents?: boolean;
  readonly propagationPolicy?: string;
  readonly dryRun?: readonly string[];
}

export interface ParsedDeleteOptions extends DeleteOptions {
  /** Answer 202 while the object waits for its dependents, which only the old `orphanDependents: false` asks for. */
  readonly acceptedWhileWaiting: boolean;
}

/** Options of a deletion without a body. Throws StatusError 400 or 422. */
export function deleteOptionsOfQuery(query: URLSearchParams): ParsedDeleteOptions {
  if (query.size === 0) return { acceptedWhileWaiting: false };
  const grace = integer(query, 'gracePeriodSeconds');
  const orphan = flag(query, 'orphanDependents');
  const policy = query.get('propagationPolicy') ?? undefined;
  const uid = text(query, 'uid');
  const resourceVersion = text(query, 'resourceVersion');
  const preconditions = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  return checkDeleteOptions({
    dryRun: query.getAll('dryRun'),
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(orphan === undefined ? {} : { orphanDependents: orphan }),
    ...(policy === undefined ? {} : { propagationPolicy: policy }),
    ...(uid === undefined && resourceVersion === undefined ? {} : { preconditions }),
  });
}

/** Throws StatusError 422. */
export function checkDeleteOptions(body: DeleteOptionsBody): ParsedDeleteOptions {
  const {
    orphanDependents,
    propagationPolicy: policy,
    dryRun = [],
    gracePeriodSeconds,
    preconditions,
  } = body;
  const problems: FieldError[] = [];
  if (orphanDependents !== undefined && policy !== undefined) {
    problems.push(
      invalidField(
        'propagationPolicy',
        policy,
        'orphanDependents and deletionPropagation cannot be both set',
      ),
    );
  }
  if (policy !== undefined && !isPolicy(policy)) {
    problems.push(notSupported('propagationPolicy', policy, ['Foreground', 'Background', 'Orphan', 'nil']));
  }
  problems.push(...dryRunProblems(dryRun));
  if (problems.length > 0) throw invalid({ group: 'meta.k8s.io', name: 'DeleteOptions' }, '', problems);
  return {
    acceptedWhileWaiting: orphanDependents === false,
    ...(dryRun.length > 0 ? { dryRun: true } : {}),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions === undefined ? {} : { preconditions }),
    ...(policy !== undefined && isPolicy(policy) ? { propagationPolicy: policy } : {}),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
  };
}

const isPolicy = (policy: string): policy is 'Foreground' | 'Background' | 'Orphan' =>
  policy === 'Foreground' || policy === 'Background' || policy === 'Orphan';

/** A deletion's options may not name another kind. */
export const wrongDeleteOptions = () => badRequest('decoded object cannot be converted to DeleteOptions');
