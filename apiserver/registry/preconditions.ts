/** What a client demands of the object that it changes or removes. */
import { goQuote } from '../../schemas/go-quote.js';
import type { KubeObject } from '../../schemas/definition.js';
import { conflict, internal, invalid } from '../errors.js';
import { hasSpecFinalizers } from './deletion.js';
import type { Resource } from './resource.js';
import type { StoredItem } from './stored-item.js';

export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** Of an update, in the words of upstream's storage layer. Throws StatusError 409. */
export function checkUpdateUid(
  resource: Resource,
  key: string,
  name: string,
  uid: string | undefined,
  current: KubeObject | undefined,
): void {
  const present = current?.metadata.uid ?? '';
  if (!uid || uid === present) return;
  const detail = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${present}`;
  const path = resource.keys.etcdPath(key);
  throw conflict(
    resource.name,
    name,
    `StorageError: invalid object, Code: 4, Key: ${path}, ResourceVersion: 0, AdditionalErrorMsg: ${detail}`,
  );
}

/** Of a deletion; these messages name the kind rather than the resource, but for namespaces. Throws StatusError 409. */
export function checkDeletePreconditions(
  resource: Resource,
  item: StoredItem,
  { uid, resourceVersion }: Preconditions,
): void {
  const { definition } = resource;
  const { metadata } = item.object;
  if (hasSpecFinalizers(definition)) {
    const refuse = (field: string, wanted: string, present: string) =>
      conflict(
        resource.name,
        item.name,
        `Precondition failed: ${field} in precondition: ${wanted}, ${field} in object meta: ${present}`,
      );
    const version = String(item.revision);
    if (uid !== undefined && uid !== metadata.uid) throw refuse('UID', uid, metadata.uid ?? '');
    if (resourceVersion !== undefined && resourceVersion !== version) {
      throw refuse('ResourceVersion', resourceVersion, version);
    }
    return;
  }
  const kind = { group: definition.group, name: definition.kind };
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(
      kind,
      item.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid ?? ''}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== String(item.revision)) {
    throw conflict(
      kind,
      item.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${item.revision}). The object might have been modified`,
    );
  }
}

/**
 * The resourceVersion in an update's object must be the present one, or absent where the resource allows to overwrite
 * whatever there is. Throws StatusError 409, 422, or 500 for what is no number.
 */
export function checkResourceVersion(resource: Resource, given: KubeObject, current: StoredItem): void {
  const version = parseVersion(given.metadata.resourceVersion);
  if (version === 0 && resource.definition.allowUnconditionalUpdate) return;
  if (version === 0) {
    throw invalid(resource.name, current.name, [
      {
        reason: 'FieldValueInvalid',
        field: 'metadata.resourceVersion',
        message: 'Invalid value: 0: must be specified for an update',
      },
    ]);
  }
  if (version !== current.revision) throw conflict(resource.name, current.name);
}

function parseVersion(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (/^[0-9]+$/.test(text)) return Number(text);
  throw internal(`strconv.ParseUint: parsing ${goQuote(text)}: invalid syntax`);
}
