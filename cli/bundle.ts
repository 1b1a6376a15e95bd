/** What differs between the bundle that users run (build/bundle.mjs) and the compiled sources that tests import. */
declare const WHERRY_VERSION: string | undefined;

const bundled = typeof WHERRY_VERSION === 'string';

export const version: string = typeof WHERRY_VERSION === 'string' ? WHERRY_VERSION : '0.0.0-source';

/** Where the files of bundled worker threads are; none from the sources, where each part finds its own. */
export function workerUrls(): { readonly log?: URL; readonly checkpoint?: URL; readonly snapshot?: URL } {
  if (!bundled) return {};
  return {
    log: new URL('./log-worker.js', import.meta.url),
    checkpoint: new URL('./checkpoint-worker.js', import.meta.url),
    snapshot: new URL('./snapshot-worker.js', import.meta.url),
  };
}
