/** gRPC's health protocol, for the server as a whole, as etcd offers it. */
import { EtcdError, GrpcCode } from '../../errors.js';
import type { HealthCheckResponse } from '../messages/health.js';
import { serverStream, unary, type Route } from '../server/handlers.js';
import { Health } from '../services.js';

export function healthRoutes(): Route[] {
  return [
    unary(Health.Check, async ({ service }) => {
      if (service !== '') throw new EtcdError(GrpcCode.NotFound, 'unknown service');
      return { status: 'serving' };
    }),
    serverStream(Health.Watch, async function* ({ service }, { signal }) {
      const response: HealthCheckResponse = { status: service === '' ? 'serving' : 'service-unknown' };
      yield response;
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }),
  ];
}
