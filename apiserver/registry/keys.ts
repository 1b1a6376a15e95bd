/** Names of objects: etcd keys outside, `namespace/name` inside, both in the same order. */

/** `namespace/name`, or `name` for cluster-scoped resources: `StoredObject.key`. */
export const objectKey = (namespace: string, name: string): string =>
  namespace === '' ? name : `${namespace}/${name}`;

export const namespaceOf = (key: string): string => {
  const slash = key.indexOf('/');
  return slash < 0 ? '' : key.slice(0, slash);
};

const beyondAscii = /[^\0-\x7f]/;

/**
 * A key as a latin1 string of its bytes, so that JavaScript orders keys as etcd does. For ASCII, which nearly all keys
 * are, it is the key itself.
 */
export const orderOf = (key: string): string =>
  beyondAscii.test(key) ? Buffer.from(key, 'utf8').toString('latin1') : key;

export const keyOfOrder = (order: string): string =>
  beyondAscii.test(order) ? Buffer.from(order, 'latin1').toString('utf8') : order;

/** A range of keys: all objects, those of one namespace, or one object. Bounds are in order form, `high` is excluded. */
export interface Scope {
  readonly namespace: string;
  /** The one key, when there is only one. */
  readonly key: string | undefined;
  readonly low: string;
  readonly high: string;
}

/** Above every byte that a latin1 string can hold. */
const beyondAll = '\u0100';

/** `name` narrows to one object only where the namespace is known or there are none. */
export function scopeOf(namespaced: boolean, namespace: string, name: string | undefined): Scope {
  if (name !== undefined && namespaced === (namespace !== '')) {
    const key = objectKey(namespace, name);
    const low = orderOf(key);
    return { namespace, key, low, high: `${low}\0` };
  }
  if (namespace === '') return { namespace, key: undefined, low: '', high: beyondAll };
  return { namespace, key: undefined, low: `${namespace}/`, high: `${namespace}0` };
}

/** kube-apiserver's. */
export const DEFAULT_ROOT = '/registry';

/** The etcd keys of one resource: everything below `/registry/{prefix}/`. */
export class KeySpace {
  readonly prefix: Buffer;
  readonly rangeEnd: Buffer;
  private readonly text: string;

  /** `root`: what all resources' keys begin with, without a slash at its end. */
  constructor(etcdPrefix: string, root = DEFAULT_ROOT) {
    this.text = `${root}/${etcdPrefix}/`;
    this.prefix = Buffer.from(this.text);
    this.rangeEnd = successor(this.prefix);
  }

  etcdKey(key: string): Buffer {
    return Buffer.from(this.text + key);
  }

  /** For messages. */
  etcdPath(key: string): string {
    return this.text + key;
  }

  /** The key without the prefix, in order form. */
  orderOfEtcdKey(etcdKey: Uint8Array): string {
    const bytes = Buffer.from(etcdKey.buffer, etcdKey.byteOffset, etcdKey.byteLength);
    return bytes.toString('latin1', this.prefix.length);
  }

  etcdRange({ low, high }: Scope): { readonly key: Buffer; readonly rangeEnd: Buffer } {
    return {
      key: this.ofOrder(low),
      rangeEnd: high === beyondAll ? this.rangeEnd : this.ofOrder(high),
    };
  }

  ofOrder(order: string): Buffer {
    return Buffer.concat([this.prefix, Buffer.from(order, 'latin1')]);
  }
}

/** The first key after all those that begin with `prefix`. */
function successor(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  // The prefix ends with a slash, so the last byte can always be raised.
  end.writeUInt8(end.readUInt8(end.length - 1) + 1, end.length - 1);
  return end;
}
