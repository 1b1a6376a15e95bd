/** Whether a user may do what is asked. */
import type { RequestInfo, UserInfo } from '../request.js';

export interface Decision {
  readonly allowed: boolean;
  /** Why, for the user to read. */
  readonly reason?: string;
}

export type Authorize = (user: UserInfo, request: RequestInfo) => Decision | Promise<Decision>;

const yes: Decision = { allowed: true };

/** Every user that is known at all is an administrator, until there are rules. */
export const allowAll: Authorize = () => yes;
