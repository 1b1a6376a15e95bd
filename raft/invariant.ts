/** Thrown when something that cannot be is. It is a defect of ours: never caught to carry on, never shown to a client. */
export class InvariantError extends Error {
  override name = 'InvariantError';
}

/** Asserts what the code relies on. Stays on in production. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
