/** /healthz, /livez and /readyz: named checks, all of them or one. */
export interface HealthCheck {
  /** A path segment or two: `etcd`, `poststarthook/start-controllers`. */
  readonly name: string;
  /** Rejects where it fails; why is for the log and not for the client. */
  check(): Promise<void> | void;
  /** Which of the three endpoints have it; all when absent. */
  readonly of?: readonly HealthEndpoint[];
}

export type HealthEndpoint = 'healthz' | 'livez' | 'readyz';

export const healthEndpoints: readonly HealthEndpoint[] = ['healthz', 'livez', 'readyz'];

/** A check that takes longer counts as failed, in milliseconds. */
export const checkMillisecondsMax = 2000;

/** How often a check that goes on failing is reported, in milliseconds: probes come every second. */
const reportMilliseconds = 30_000;

/** Of each check the first failure, and then one a while. */
export function reportRarely(
  report: (name: string, error: unknown) => void,
  now: () => number = () => performance.now(),
): (name: string, error: unknown) => void {
  const reported = new Map<string, number>();
  return (name, error) => {
    const last = reported.get(name);
    if (last !== undefined && now() - last < reportMilliseconds) return;
    reported.set(name, now());
    report(name, error);
  };
}

/** Checks that every server has: that it answers, and that it can say so. */
export const builtinChecks: readonly HealthCheck[] = [
  { name: 'ping', check: () => undefined },
  { name: 'log', check: () => undefined },
];

export interface HealthAnswer {
  readonly status: 200 | 404 | 500;
  readonly text: string;
}

const notFound: HealthAnswer = { status: 404, text: '404 page not found\n' };

/**
 * `name`: of one check, '' for all. `report` is told why a check failed.
 */
export async function health(
  checks: readonly HealthCheck[],
  endpoint: HealthEndpoint,
  name: string,
  query: URLSearchParams,
  report: (name: string, error: unknown) => void,
): Promise<HealthAnswer> {
  const excluded = query.getAll('exclude');
  const chosen = checks.filter((check) => check.of?.includes(endpoint) ?? true);
  if (name !== '') {
    const check = chosen.find((check) => check.name === name);
    if (check === undefined) return notFound;
    const error = await outcome(check);
    if (error === undefined) return { status: 200, text: 'ok' };
    report(check.name, error);
    return { status: 500, text: 'internal server error: reason withheld\n' };
  }
  const results = await Promise.all(
    chosen.map(async (check) =>
      excluded.includes(check.name) ? 'excluded' : { check, error: await outcome(check) },
    ),
  );
  const lines: string[] = [];
  let failed = false;
  for (const [index, result] of results.entries()) {
    const label = chosen[index]?.name ?? '';
    if (result === 'excluded') lines.push(`[+]${label} excluded: ok\n`);
    else if (result.error === undefined) lines.push(`[+]${label} ok\n`);
    else {
      failed = true;
      report(label, result.error);
      lines.push(`[-]${label} failed: reason withheld\n`);
    }
  }
  if (failed) return { status: 500, text: `${lines.join('')}${endpoint} check failed\n` };
  return query.has('verbose')
    ? { status: 200, text: `${lines.join('')}${endpoint} check passed\n` }
    : { status: 200, text: 'ok' };
}

/** What went wrong, undefined for nothing. */
async function outcome(check: HealthCheck): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no answer after ${checkMillisecondsMax} ms`)),
        checkMillisecondsMax,
      );
    });
    await Promise.race([check.check(), late]);
    return undefined;
  } catch (error) {
    return error ?? new Error('failed');
  } finally {
    clearTimeout(timer);
  }
}
