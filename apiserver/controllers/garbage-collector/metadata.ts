/** What the garbage collector looks at of an object: read from the JSON of its metadata, without decoding the rest. */
import type { ObjectMeta, OwnerReference } from '../../../schemas/definition.js';
import type { StoredObject } from '../../registry/types.js';

/** The finalizers that a propagation policy sets, for this controller to take away. */
export const ORPHAN = 'orphan';
export const FOREGROUND = 'foregroundDeletion';

export interface SeenObject {
  /** '' of what somebody stored without one: nothing can refer to it. */
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly owners: readonly OwnerReference[];
  readonly finalizers: readonly string[];
  readonly deleting: boolean;
  /** It goes when the dependents that block it have gone. */
  readonly foreground: boolean;
  /** It goes when its dependents no longer refer to it. */
  readonly orphans: boolean;
}

const none: readonly never[] = [];
const METADATA_KEY = '"metadata":';
const UID_KEY = '"uid":"';
const VERSION_KEY = '"resourceVersion":"';

export function seen(item: StoredObject): SeenObject {
  const { json, headerLength, namespace, name } = item;
  const start = headerLength + METADATA_KEY.length;
  const text = json.toString('utf8', start, objectEnd(json, start));
  // Nearly all objects have neither, so nearly none is parsed. A key cannot stand in a string: its quotes would be escaped.
  if (!text.includes('"ownerReferences":[') && !text.includes('"deletionTimestamp":"')) {
    return {
      uid: uidOf(text),
      namespace,
      name,
      owners: none,
      finalizers: none,
      deleting: false,
      foreground: false,
      orphans: false,
    };
  }
  const metadata = JSON.parse(text) as ObjectMeta;
  const { uid = '', ownerReferences: owners = [], finalizers = [] } = metadata;
  const deleting = Boolean(metadata.deletionTimestamp);
  return {
    uid,
    namespace,
    name,
    owners,
    finalizers,
    deleting,
    foreground: deleting && finalizers.includes(FOREGROUND),
    orphans: deleting && finalizers.includes(ORPHAN),
  };
}

/** The uid stands before the resourceVersion; what else has one stands behind it. */
function uidOf(text: string): string {
  const at = text.indexOf(UID_KEY);
  if (at < 0 || at > text.indexOf(VERSION_KEY)) return '';
  const from = at + UID_KEY.length;
  return text.slice(from, text.indexOf('"', from));
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** Behind the brace that closes the object which begins at `start`. */
function objectEnd(json: Buffer, start: number): number {
  let depth = 0;
  let inString = false;
  for (let at = start; at < json.length; at++) {
    const byte = json[at];
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPENING) depth += 1;
    else if (byte === CLOSING && --depth === 0) return at + 1;
  }
  return json.length;
}
