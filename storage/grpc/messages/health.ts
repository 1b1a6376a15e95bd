/** gRPC's own health protocol. */
import { define } from '../codec/define.js';
import { enumType, oneOf, string } from '../codec/fields.js';

export interface HealthCheckRequest {
  /** Empty: the server as a whole. */
  readonly service: string;
}
export interface HealthCheckResponse {
  readonly status: 'unknown' | 'serving' | 'not-serving' | 'service-unknown';
}

const servingStatus = enumType<HealthCheckResponse['status']>(
  'grpc.health.v1.HealthCheckResponse.ServingStatus',
  ['unknown', 'serving', ['not-serving', 'NOT_SERVING'], ['service-unknown', 'SERVICE_UNKNOWN']],
);

export const healthCheckRequest = define<HealthCheckRequest>('grpc.health.v1.HealthCheckRequest', {
  service: string(1),
});
export const healthCheckResponse = define<HealthCheckResponse>('grpc.health.v1.HealthCheckResponse', {
  status: oneOf(servingStatus, 1),
});
