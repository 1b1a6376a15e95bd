/**
 * Whether what a token stands for is still there, and the one of then. From the cache; what would refuse a token counts
 * only if the store says so too.
 */
import type { KubeObject } from '../../schemas/definition.js';
import { coreRegistry, isNotFound, type Registries } from '../admission/lookup.js';
import { systemContext } from '../controllers/context.js';
import { ofExisting } from '../registry/existing.js';
import type { Reference } from './service-account-user.js';
import type { ReadClaims } from './token-claims.js';
import { TokenError } from './token-error.js';

/** For so long objects that are being deleted still count, as upstream has it. */
const DELETED_LEEWAY_MS = 60_000;
const DAY_MS = 86_400_000;
/** Labels of Secrets that hold tokens. */
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
const LAST_USED = 'kubernetes.io/legacy-token-last-used';

type Fits = (found: KubeObject) => boolean;

export class TokenObjects {
  readonly #context = systemContext('system:apiserver', ['system:masters'], new AbortController().signal);

  /** `now`: milliseconds since the epoch. */
  constructor(
    private readonly registries: Registries,
    private readonly now: () => number,
  ) {}

  /** Throws TokenError where the token is void, and StatusError where the store does not say. */
  async check(claims: ReadClaims, token: string): Promise<void> {
    if (claims.isLegacy) return this.#checkLegacy(claims, token);
    const { namespace, account, secret, pod, node } = claims;
    const found = await this.#account(claims, (object) => !this.#isLongGone(object));
    if (this.#isLongGone(found)) {
      throw new TokenError(`service account ${namespace}/${account.name} has been deleted`);
    }
    if (secret !== undefined) await this.#checkBound('secret', namespace, secret);
    if (pod !== undefined) await this.#checkBound('pod', namespace, pod);
    // Of a pod's token the node is mere information.
    else if (node !== undefined) await this.#checkBound('node', '', node);
  }

  async #checkBound(kind: 'secret' | 'pod' | 'node', namespace: string, bound: Reference): Promise<void> {
    const fits: Fits = (object) => object.metadata.uid === bound.uid && !this.#isLongGone(object);
    const found = await this.#find(`${kind}s`, namespace, bound.name, fits);
    if (found !== undefined && found.metadata.uid !== bound.uid) {
      const uid = found.metadata.uid ?? '';
      throw new TokenError(
        `${kind} UID (${uid}) does not match service account ${kind} ref claim (${bound.uid})`,
      );
    }
    if (found === undefined || this.#isLongGone(found)) {
      throw new TokenError('service account token has been invalidated');
    }
  }

  /** A token of a Secret must lie in it; who is being deleted does not count for a minute more. */
  async #checkLegacy(claims: ReadClaims, token: string): Promise<void> {
    const { namespace, account, secret: { name } = { name: '' } } = claims;
    const held = Buffer.from(token).toString('base64');
    const holds: Fits = (object) =>
      (object['data'] as { readonly token?: string } | undefined)?.token === held;
    const isGood: Fits = (object) => !isGoing(object) && !invalidSince(object) && holds(object);
    const secret = await this.#find('secrets', namespace, name, isGood);
    if (secret === undefined || isGoing(secret)) throw new TokenError('Token has been invalidated');
    if (!holds(secret)) throw new TokenError("Token does not match server's copy");
    const found = await this.#account(claims, (object) => !isGoing(object));
    if (isGoing(found)) throw new TokenError(`ServiceAccount ${namespace}/${account.name} has been deleted`);
    await this.#recordUse(secret);
    if (!invalidSince(secret)) return;
    const instead = `Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`;
    throw new TokenError(
      `the token in secret ${namespace}/${name} for service account ${namespace}/${account.name} has been marked invalid. ${instead}`,
    );
  }

  /** Throws TokenError where it is not there, or is another one. */
  async #account({ namespace, account, isLegacy }: ReadClaims, fits: Fits): Promise<KubeObject> {
    const isSame: Fits = ({ metadata }) => metadata.uid === account.uid;
    const found = await this.#find('serviceaccounts', namespace, account.name, (object) => {
      return isSame(object) && fits(object);
    });
    if (found === undefined) throw new TokenError(`serviceaccounts "${account.name}" not found`);
    if (isSame(found)) return found;
    const what = isLegacy ? 'ServiceAccount' : 'service account';
    throw new TokenError(`${what} UID (${found.metadata.uid ?? ''}) does not match claim (${account.uid})`);
  }

  /** Once a day. Nobody is refused because it cannot be written down. */
  async #recordUse({ metadata }: KubeObject): Promise<void> {
    const today = dayOf(this.now());
    // The clock of another server may be ahead.
    const known = [today, dayOf(this.now() + DAY_MS)];
    if (known.includes(metadata.labels?.[LAST_USED] ?? '')) return;
    const { namespace = '', name = '', uid = '' } = metadata;
    const label = ofExisting((current) => ({
      ...current,
      metadata: { ...current.metadata, labels: { ...current.metadata.labels, [LAST_USED]: today } },
    }));
    const options = { allowCreate: false, preconditions: { uid } };
    await coreRegistry(this.registries, 'secrets')
      .update({ ...this.#context, warnings: [] }, namespace, name, label, options)
      .catch(() => undefined);
  }

  #isLongGone({ metadata }: KubeObject): boolean {
    const { deletionTimestamp } = metadata;
    return Boolean(deletionTimestamp) && Date.parse(deletionTimestamp ?? '') < this.now() - DELETED_LEEWAY_MS;
  }

  async #find(plural: string, namespace: string, name: string, fits: Fits): Promise<KubeObject | undefined> {
    const cached = await this.#get(plural, namespace, name, { resourceVersion: 0 });
    if (cached !== undefined && fits(cached)) return cached;
    return this.#get(plural, namespace, name, {});
  }

  async #get(
    plural: string,
    namespace: string,
    name: string,
    options: { readonly resourceVersion?: number },
  ): Promise<KubeObject | undefined> {
    const registry = coreRegistry(this.registries, plural);
    try {
      return (await registry.get(this.#context, namespace, name, options)).object;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

const isGoing = ({ metadata }: KubeObject): boolean => Boolean(metadata.deletionTimestamp);
const invalidSince = ({ metadata }: KubeObject): boolean => Boolean(metadata.labels?.[INVALID_SINCE]);
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 'YYYY-MM-DD'.length);
