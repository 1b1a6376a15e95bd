/** References to container images: `registry.example.com:5000/team/app:1.2@sha256:…`. */

const PATH = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const HOST =
  '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?';
const REFERENCE = new RegExp(
  `^(?:${HOST}/)?${PATH}(?:/${PATH})*(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);

/** The tag; `latest` when there is neither tag nor digest; empty for a digest alone and for what is no reference. */
export function tagOf(image: string): string {
  const match = REFERENCE.exec(image);
  if (match === null) return '';
  const [, tag = '', digest = ''] = match;
  return tag === '' && digest === '' ? 'latest' : tag;
}
