/**
 * Acting as somebody else, as the Impersonate-… headers ask: who may is a question to the authorizer. Upstream's modes
 * (constrained impersonation) are tried one after the other, the oldest, which may do most, last.
 */
import { badRequest, StatusError } from '../errors.js';
import type { RequestInfo, UserInfo } from '../request.js';
import { type Authorizer, forbiddenRequest } from './authorize.js';
import { type Mode, modes } from './impersonation-modes.js';
import { AUTHENTICATED } from './service-account-user.js';

/** Who the headers name. */
export interface Wanted {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

const ANONYMOUS = 'system:anonymous';
const UNAUTHENTICATED = 'system:unauthenticated';

const PREFIX = 'impersonate-';
const EXTRA_PREFIX = 'impersonate-extra-';
const letterI = 0x69;

/** Looked at for every request. */
export function asksToImpersonate(headers: Readonly<Record<string, unknown>>): boolean {
  for (const name in headers) {
    if (name.charCodeAt(0) === letterI && name.startsWith(PREFIX)) return true;
  }
  return false;
}

/**
 * The user to go on as; undefined where the headers name nobody. `rawHeaders`: names and values in turn, as they came,
 * since a header that comes twice has two values. Throws StatusError 400 or 403.
 */
export async function impersonated(
  authorizer: Authorizer,
  requester: UserInfo,
  rawHeaders: readonly string[],
  request: RequestInfo,
): Promise<UserInfo | undefined> {
  const wanted = wantedOf(rawHeaders);
  if (wanted === undefined) return undefined;
  let refusal: unknown;
  for (const mode of modes) {
    if (!mode.applies(wanted, requester)) continue;
    try {
      await checkAll(authorizer, mode, wanted, requester, request);
      return userOf(mode, wanted);
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 403) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

async function checkAll(
  authorizer: Authorizer,
  mode: Mode,
  wanted: Wanted,
  requester: UserInfo,
  request: RequestInfo,
): Promise<void> {
  const user = mode.seenAs?.(requester) ?? requester;
  for (const check of mode.checks(wanted, request)) {
    if ('problem' in check) throw forbiddenRequest(check.request, user, check.problem);
    const { allowed, reason } = await authorizer.authorize(user, check.request);
    if (allowed) continue;
    // Where a question about all of them has a yes, the single ones are not asked.
    if (check.instead === undefined) throw forbiddenRequest(check.request, user, reason);
    for (const single of check.instead) {
      const decision = await authorizer.authorize(user, single);
      if (!decision.allowed) throw forbiddenRequest(single, user, decision.reason);
    }
  }
}

function userOf(mode: Mode, wanted: Wanted): UserInfo {
  const groups = [...(mode.groups(wanted) ?? wanted.groups)];
  if (wanted.name === ANONYMOUS) {
    if (!groups.includes(UNAUTHENTICATED)) groups.push(UNAUTHENTICATED);
  } else if (!groups.includes(UNAUTHENTICATED) && !groups.includes(AUTHENTICATED)) {
    groups.push(AUTHENTICATED);
  }
  const extra = Object.fromEntries([...wanted.extra].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { username: wanted.name, uid: wanted.uid, groups, extra };
}

/** Throws StatusError 400 where something of a user is named and the user is not. */
function wantedOf(rawHeaders: readonly string[]): Wanted | undefined {
  let name = '';
  let uid = '';
  let hasMore = false;
  const groups: string[] = [];
  const extra = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const header = (rawHeaders[i] ?? '').toLowerCase();
    if (!header.startsWith(PREFIX)) continue;
    const value = textOf(rawHeaders[i + 1] ?? '');
    // Of several, Go takes the first.
    if (header === 'impersonate-user') name ||= value;
    else if (header === 'impersonate-uid') uid ||= value;
    else if (header === 'impersonate-group') groups.push(value);
    else if (header.startsWith(EXTRA_PREFIX)) {
      const key = unescaped(header.slice(EXTRA_PREFIX.length));
      extra.set(key, [...(extra.get(key) ?? []), value]);
    } else continue;
    hasMore ||= header !== 'impersonate-user' && (header !== 'impersonate-uid' || value !== '');
  }
  const wanted = { name, uid, groups, extra };
  if (name !== '') return wanted;
  if (!hasMore) return undefined;
  throw badRequest(`requested ${goPrinted(wanted)} without impersonating a user name`);
}

/** Node reads headers as latin1; what is meant is UTF-8. */
const textOf = (value: string): string => Buffer.from(value, 'latin1').toString();

function unescaped(key: string): string {
  try {
    return decodeURIComponent(textOf(key));
  } catch {
    return key;
  }
}

const goList = (items: readonly string[]) =>
  `[]string{${items.map((item) => JSON.stringify(item)).join(', ')}}`;

/** As Go's `%#v` prints the user that the headers came to. */
function goPrinted({ name, uid, groups, extra }: Wanted): string {
  const entries = [...extra].sort(([a], [b]) => (a < b ? -1 : 1));
  const map = entries.map(([key, values]) => `${JSON.stringify(key)}:${goList(values)}`).join(', ');
  return (
    `&user.DefaultInfo{Name:${JSON.stringify(name)}, UID:${JSON.stringify(uid)}, ` +
    `Groups:${groups.length === 0 ? '[]string(nil)' : goList(groups)}, ` +
    `Extra:map[string][]string${entries.length === 0 ? '(nil)' : `{${map}}`}}`
  );
}
