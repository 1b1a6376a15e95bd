/** From the text behind the `?` to its parameters, as Go's url.ParseQuery reads it where its errors are ignored. */

/** An escape that is none. */
const badEscape = /%(?![\da-fA-F]{2})/;

/** A pair with a semicolon or a bad escape is dropped, and the others count: a request is not refused for it. */
export function parseQuery(text: string): URLSearchParams {
  if (text.includes(';') || (text.includes('%') && badEscape.test(text))) {
    const good = text.split('&').filter((pair) => !pair.includes(';') && !badEscape.test(pair));
    return parseQuery(good.join('&'));
  }
  // A second question mark belongs to the first name; URLSearchParams would take it for the beginning of a query.
  return new URLSearchParams(text.startsWith('?') ? `%3F${text.slice(1)}` : text);
}
