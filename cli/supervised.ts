/** A member that `wherry cluster` has started tells it how it is, and stops when it has gone. */

/** `ready`: it serves. `removed`: it is no member any more, and starting it again is no use. */
export type MemberMessage = 'ready' | 'removed';

/** Set for members of `wherry cluster`: whoever else starts the command with a channel means something else by it. */
export const SUPERVISED_VARIABLE = 'WHERRY_SUPERVISED';

const supervised = process.env[SUPERVISED_VARIABLE] !== undefined && process.send !== undefined;

export function tellSupervisor(message: MemberMessage): void {
  if (supervised && process.connected) process.send?.(message);
}

export function onSupervisorGone(listener: () => void): void {
  if (supervised) process.once('disconnect', listener);
}
