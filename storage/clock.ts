/** Time as the store sees it, so that tests can move it. */
import type { Clock as RaftClock } from '../raft/clock.js';

export { systemClock } from '../raft/clock.js';
export type Clock = Pick<RaftClock, 'now' | 'after'>;
