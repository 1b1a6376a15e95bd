/** What the kubelet runs against a container: probes and lifecycle hooks. */
import type * as z from 'zod';
import { int32, int64, list, once, struct, text } from '../../fields.js';
import { intOrString } from '../../meta/scalars.js';
import { SIGNALS } from './pod-signals.js';

export type HTTPGetAction = z.infer<ReturnType<typeof httpGetAction>>;
export type LifecycleHandler = z.infer<ReturnType<typeof lifecycleHandler>>;
export type Lifecycle = z.infer<ReturnType<typeof lifecycle>>;
export type Probe = z.infer<ReturnType<typeof probe>>;

const CORE = 'io.k8s.api.core.v1';

export const execAction = once(() =>
  struct(
    `${CORE}.ExecAction`,
    {
      command: list(text(), { listType: 'atomic' }),
    },
    { description: 'Runs a command in the container, without a shell.' },
  ),
);

export const httpHeader = once(() =>
  struct(
    `${CORE}.HTTPHeader`,
    {
      name: text({ default: '' }),
      value: text({ default: '' }),
    },
    { description: 'A header of a request.', required: ['name', 'value'] },
  ),
);

export const httpGetAction = once(() =>
  struct(
    `${CORE}.HTTPGetAction`,
    {
      path: text({ omitEmpty: true }),
      port: intOrString({ description: 'Number, or name of a port of the container.' }),
      host: text({ omitEmpty: true, description: "The pod's address when absent." }),
      scheme: text({ omitEmpty: true, goType: 'v1.URIScheme', enum: ['HTTP', 'HTTPS'] }),
      httpHeaders: list(httpHeader(), { listType: 'atomic' }),
    },
    { description: 'Asks for a page; 200 to 399 is success.', required: ['port'] },
  ),
);

export const tcpSocketAction = once(() =>
  struct(
    `${CORE}.TCPSocketAction`,
    {
      port: intOrString({ description: 'Number, or name of a port of the container.' }),
      host: text({ omitEmpty: true }),
    },
    { description: 'Opens a connection.', required: ['port'] },
  ),
);

export const grpcAction = once(() =>
  struct(
    `${CORE}.GRPCAction`,
    {
      port: int32({ default: 0 }),
      service: text({ default: '' }),
    },
    { description: 'Asks the gRPC health service.', required: ['port'] },
  ),
);

export const sleepAction = once(() =>
  struct(
    `${CORE}.SleepAction`,
    {
      seconds: int64({ default: 0 }),
    },
    { description: 'Waits.', required: ['seconds'] },
  ),
);

export const lifecycleHandler = once(() =>
  struct(
    `${CORE}.LifecycleHandler`,
    {
      exec: execAction(),
      httpGet: httpGetAction(),
      tcpSocket: tcpSocketAction(),
      sleep: sleepAction(),
    },
    { description: 'One thing to do; exactly one field is set.' },
  ),
);

export const lifecycle = once(() =>
  struct(
    `${CORE}.Lifecycle`,
    {
      postStart: lifecycleHandler(),
      preStop: lifecycleHandler(),
      stopSignal: text({
        goType: 'v1.Signal',
        enum: SIGNALS,
        description: "Signal that stops the container, in place of the image's.",
      }),
    },
    { description: 'What runs after the start and before the stop of a container.' },
  ),
);

export const probe = once(() =>
  struct(
    `${CORE}.Probe`,
    {
      exec: execAction(),
      httpGet: httpGetAction(),
      tcpSocket: tcpSocketAction(),
      grpc: grpcAction(),
      initialDelaySeconds: int32({ omitEmpty: true, description: 'Wait before the first check.' }),
      timeoutSeconds: int32({ omitEmpty: true }),
      periodSeconds: int32({ omitEmpty: true }),
      successThreshold: int32({ omitEmpty: true }),
      failureThreshold: int32({ omitEmpty: true }),
      terminationGracePeriodSeconds: int64({
        description: "Wins over the pod's when this probe ends the container.",
      }),
    },
    { description: 'A check that is repeated while the container runs.' },
  ),
);
