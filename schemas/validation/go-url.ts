/** URLs as Go's net/url takes them apart, with its words for those that it refuses. */
import { goQuote } from '../go-quote.js';

export interface GoUrl {
  readonly scheme: string;
  /** With its port. */
  readonly host: string;
  /** `name:password`; undefined without an `@`. */
  readonly user: string | undefined;
  readonly query: string;
  readonly fragment: string;
}

class UrlError extends Error {}

const HOST_CHARACTER = /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/;
const USER_INFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;

/** Gives Go's text, `parse "…": …`, where the URL cannot be parsed. */
export function parseGoUrl(raw: string): GoUrl | string {
  const hash = raw.indexOf('#');
  const withoutFragment = hash === -1 ? raw : raw.slice(0, hash);
  const fragment = hash === -1 ? '' : raw.slice(hash + 1);
  let parsing = withoutFragment;
  try {
    const url = parse(withoutFragment);
    parsing = raw;
    checkEscapes(fragment);
    return { ...url, fragment };
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    return `parse ${goQuote(parsing)}: ${error.message}`;
  }
}

function parse(raw: string): Omit<GoUrl, 'fragment'> {
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(raw)) throw new UrlError('net/url: invalid control character in URL');
  if (raw.startsWith(':')) throw new UrlError('missing protocol scheme');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(raw)?.[1] ?? '';
  const afterScheme = scheme === '' ? raw : raw.slice(scheme.length + 1);
  const question = afterScheme.indexOf('?');
  const query = question === -1 ? '' : afterScheme.slice(question + 1);
  const rest = question === -1 ? afterScheme : afterScheme.slice(0, question);
  const url = { scheme: scheme.toLowerCase(), host: '', user: undefined, query };
  if (!rest.startsWith('/')) {
    if (scheme !== '') return url;
    if (rest.split('/', 1)[0]?.includes(':')) {
      throw new UrlError('first path segment in URL cannot contain colon');
    }
  }
  if (!rest.startsWith('//') || (scheme === '' && rest.startsWith('///'))) {
    checkEscapes(rest);
    return url;
  }
  const slash = rest.indexOf('/', 2);
  const authority = slash === -1 ? rest.slice(2) : rest.slice(2, slash);
  const at = authority.lastIndexOf('@');
  const host = parseHost(authority.slice(at + 1));
  const user = at === -1 ? undefined : authority.slice(0, at);
  if (user !== undefined && !USER_INFO.test(user)) throw new UrlError('net/url: invalid userinfo');
  checkEscapes(user ?? '');
  if (slash !== -1) checkEscapes(rest.slice(slash));
  return { ...url, host, user };
}

function parseHost(host: string): string {
  const bracket = host.lastIndexOf(']');
  if (host.startsWith('[') && bracket === -1) throw new UrlError("missing ']' in host");
  const colon = host.lastIndexOf(':');
  const port = host.startsWith('[') ? host.slice(bracket + 1) : colon === -1 ? '' : host.slice(colon);
  if (port !== '' && !/^:[0-9]*$/.test(port)) {
    throw new UrlError(`invalid port ${goQuote(port)} after host`);
  }
  checkEscapes(host);
  for (const character of host) {
    if (character > '\x7f' || character === '%' || HOST_CHARACTER.test(character)) continue;
    throw new UrlError(`invalid character ${goQuote(character)} in host name`);
  }
  return host;
}

function checkEscapes(text: string): void {
  const bad = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(text);
  if (bad !== null) throw new UrlError(`invalid URL escape ${goQuote(bad[0])}`);
}
