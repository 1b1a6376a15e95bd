/** Shorter ones are prolonged to this: one and a half of etcd's default election time-out, in whole seconds. */
export const LEASE_TTL_SECONDS_MIN = 2;

/** Longer ones are refused. */
export const LEASE_TTL_SECONDS_MAX = 9_000_000_000;
