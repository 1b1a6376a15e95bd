/** A token of ours that is not good. The message tells whoever reviews it why. */
export class TokenError extends Error {
  override name = 'TokenError';
}
