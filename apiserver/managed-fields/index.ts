/** Managed fields and server-side apply: who set which field of an object, and merging by that. */
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import type { Json } from '../../schemas/walk.js';
import { badRequest, internal, type StatusError } from '../errors.js';
import { jsonTypeName } from '../../schemas/go-json.js';
import { timestamp } from '../registry/metadata.js';
import { type Application, applyFields, type Outcome } from './apply.js';
import { applyConflict, conflictsBeside } from './conflicts.js';
import { type Managed, readEntries, writeEntries } from './entries.js';
import { fieldsLastApplied, LAST_APPLIED_MANAGER, withLastApplied } from './last-applied.js';
import { valueAt } from './list-items.js';
import { entriesOf, track, UNKNOWN_MANAGER } from './track.js';
import { typeProblem } from './typed.js';
import { type Applied, FieldsProblem, type FieldWrite, type ManagedFieldsEntry } from './types.js';
import { type Version, type Versions, versionsOf } from './versions.js';

export { mergeScaleEntries, type ReplicasPaths, scaleEntries } from './scale.js';
export type { Applied, FieldsV1, FieldWrite, ManagedFieldsEntry } from './types.js';

/** Whose the fields are of an object that nobody kept track of until it was applied. */
const BEFORE_FIRST_APPLY = 'before-first-apply';

/** One resource's keeper of managedFields. Objects come and go in the resource's own version. */
export class FieldManager {
  readonly #versions = new Map<string, Versions>();

  /** `served`: all resources there are, among which those that store the same objects are other versions of them. */
  constructor(
    private readonly definition: ResourceDefinition,
    private readonly served: readonly ResourceDefinition[] = [],
  ) {}

  /**
   * managedFields after a plain write. `next` is decoded and defaulted; on create there is no live object. Never throws:
   * entries that cannot be read are forgotten, and where the schema does not know what they name the live ones stay.
   */
  update(live: KubeObject | undefined, next: KubeObject, write: FieldWrite): readonly ManagedFieldsEntry[] {
    const before = (live?.metadata.managedFields ?? []) as readonly ManagedFieldsEntry[];
    try {
      const managed = entriesOf(live, next, write.subresource);
      // Nobody has kept track of this object, and nobody begins to before it is applied.
      if (managed.length === 0 && live?.metadata.uid) return [];
      const versions = this.#versionsOf(write.subresource);
      const tracked = track(versions, { live: live ?? versions[0].blank(), next, managed }, write);
      return tracked.length === 0 ? [] : sameEntries(writeEntries(tracked), before);
    } catch (error) {
      if (error instanceof FieldsProblem) return before;
      throw error;
    }
  }

  /**
   * Server-side apply. `applied` is the parsed body, JSON of no known type; on create there is no live object.
   * Throws StatusError with upstream's texts: 400, 409 with a cause for each conflict, 500.
   */
  apply(
    live: KubeObject | undefined,
    applied: unknown,
    write: FieldWrite & { readonly force: boolean },
  ): Applied {
    const versions = this.#versionsOf(write.subresource);
    const [version] = versions;
    const body = bodyOf(applied);
    checkKind(version, body);
    const object: Json = live ?? version.blank();
    const before = (live?.metadata.managedFields ?? []) as readonly ManagedFieldsEntry[];
    try {
      let managed: readonly Managed[] = readLive(before);
      if (managed.length === 0) {
        managed = trackedBefore(versions, object, write);
      }
      checkTypes(version, body, object);
      const manager = { manager: write.manager || UNKNOWN_MANAGER, subresource: write.subresource };
      const { force } = write;
      const outcome = resolve({ versions, live: object, applied: body, managed, manager, force }, write);
      return finished(outcome, { live: object, before, applied: body }, write);
    } catch (error) {
      if (error instanceof FieldsProblem) throw internal(error.message);
      throw error;
    }
  }

  /**
   * The answer to an apply whose object does not decode. `problem` is Go's text for JSON that does not: what is applied
   * upstream does not decode but convert, which says of numbers something else.
   */
  undecodable(applied: unknown, subresource: string, problem: string): StatusError {
    const [version] = this.#versionsOf(subresource);
    const number = /^json: cannot unmarshal number .* of type (\w+)$/.exec(problem);
    const text = number === null ? problem : `cannot convert float64 to ${number[1]}`;
    const kind = version.groupVersionKind;
    return internal(
      `failed to convert new object ${named(version, bodyOf(applied))} to proper version: unable to convert unstructured object to ${kind}: ${text}`,
    );
  }

  #versionsOf(subresource: string): Versions {
    let versions = this.#versions.get(subresource);
    if (versions === undefined) {
      versions = versionsOf(this.definition, subresource, this.served);
      this.#versions.set(subresource, versions);
    }
    return versions;
  }
}

function readLive(entries: readonly unknown[]): Managed[] {
  try {
    return readEntries(entries);
  } catch (error) {
    if (error instanceof FieldsProblem) throw internal(`failed to decode managed fields: ${error.message}`);
    throw error;
  }
}

/** The fields of an object that nobody kept track of; none where its schema does not know what they are. */
function trackedBefore(versions: Versions, object: Json, write: FieldWrite): readonly Managed[] {
  const states = { live: versions[0].blank(), next: object, managed: [] };
  try {
    return track(versions, states, { ...write, manager: BEFORE_FIRST_APPLY });
  } catch (error) {
    if (error instanceof FieldsProblem) return [];
    throw error;
  }
}

/** Applies; a conflict with what `kubectl apply` in the client had set is none for kubectl. Throws StatusError 409. */
function resolve(application: Application, { now }: FieldWrite): Outcome {
  const time = timestamp(now);
  const { versions, live, manager } = application;
  const outcome = applyFields(application, time);
  if ('object' in outcome) return outcome;
  const allowed = manager.manager === LAST_APPLIED_MANAGER ? fieldsLastApplied(versions[0], live) : undefined;
  const conflicts = allowed === undefined ? outcome : conflictsBeside(outcome, allowed);
  if (conflicts.length > 0) throw applyConflict(conflicts);
  return applyFields({ ...application, force: true }, time) as Outcome;
}

function finished(
  { object, managed }: Outcome,
  was: { readonly live: Json; readonly before: readonly ManagedFieldsEntry[]; readonly applied: Json },
  write: FieldWrite,
): Applied {
  const shown = write.manager === LAST_APPLIED_MANAGER ? withLastApplied(object, was.applied) : object;
  const managedFields = sameEntries(writeEntries(managed), was.before);
  return { object: shown, managedFields, unchanged: shown === was.live && managedFields === was.before };
}

/** What is applied, as an object; null is one without fields. Throws StatusError 400. */
export function bodyOf(applied: unknown): Json {
  if (typeof applied === 'object' && applied !== null && !Array.isArray(applied)) return applied as Json;
  if (applied === null || applied === undefined) return {};
  throw badRequest(
    `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonTypeName(applied)} into Go value of type map[string]interface {}`,
  );
}

function checkKind(version: Version, body: Json): void {
  const given = groupVersionKind(textAt(body, 'apiVersion'), textAt(body, 'kind'));
  if (given !== version.groupVersionKind) throw badRequest(`invalid object type: ${given}`);
}

/** A text of an object, or of what may be none. */
function textAt(object: unknown, name: string): string {
  const value = typeof object === 'object' && object !== null ? valueAt(object as Json, name) : undefined;
  return typeof value === 'string' ? value : '';
}

function groupVersionKind(apiVersion: string, kind: string): string {
  const parts = apiVersion === '/' ? [''] : apiVersion.split('/');
  if (parts.length > 2) return '/, Kind=';
  const [group, version] = parts.length === 1 ? ['', parts[0]] : parts;
  return `${group}/${version}, Kind=${kind}`;
}

function checkTypes(version: Version, body: Json, live: Json): void {
  const metadata = valueAt(body, 'metadata') as Json | null | undefined;
  if (Array.isArray(metadata?.['managedFields'])) throw badRequest('metadata.managedFields must be nil');
  const what = named(version, body);
  const problem = typeProblem(version.shape(), body);
  if (problem !== undefined) throw internal(`failed to create typed patch object ${what}: ${problem}`);
  const liveProblem = typeProblem(version.shape(), live, { duplicates: true });
  if (liveProblem !== undefined) throw internal(`failed to create typed live object ${what}: ${liveProblem}`);
}

/** An object as messages name it: `(namespace/name; apps/v1, Kind=Deployment)`. */
function named({ groupVersionKind: kind }: Version, body: Json): string {
  const metadata = valueAt(body, 'metadata');
  return `(${textAt(metadata, 'namespace')}/${textAt(metadata, 'name')}; ${kind})`;
}

/** The entries as they were, where they say the same: nothing has changed then. */
function sameEntries(
  entries: readonly ManagedFieldsEntry[],
  before: readonly ManagedFieldsEntry[],
): readonly ManagedFieldsEntry[] {
  if (entries.length !== before.length) return entries;
  return entries.every((entry, i) => entry === before[i]) ? before : entries;
}
