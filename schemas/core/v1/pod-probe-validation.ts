/** Rules for probes and lifecycle hooks. */
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { invalidEach, NOT_NEGATIVE } from '../../validation/metadata.js';
import { httpHeaderName, portName, portNumber } from '../../validation/names.js';
import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from './pod-probes.js';
import { SIGNALS, WINDOWS_SIGNALS } from './pod-signals.js';

/** What of the pod the hooks depend on. */
export interface HookRules {
  readonly gracePeriodSeconds: number | undefined;
  /** spec.os.name */
  readonly os: string | undefined;
}

export function validateLifecycle(
  errors: FieldError[],
  { postStart, preStop, stopSignal }: Lifecycle,
  rules: HookRules,
  field: string,
): void {
  if (postStart) validateHandler(errors, postStart, rules, `${field}.postStart`);
  if (preStop) validateHandler(errors, preStop, rules, `${field}.preStop`);
  if (stopSignal !== undefined) validateStopSignal(errors, stopSignal, rules.os, `${field}.stopSignal`);
}

function validateStopSignal(
  errors: FieldError[],
  signal: string,
  os: string | undefined,
  field: string,
): void {
  if (os === undefined) {
    errors.push(forbidden(field, 'may not be set for containers with empty `spec.os.name`'));
  } else {
    const supported = os === 'windows' ? WINDOWS_SIGNALS : SIGNALS;
    if (!supported.includes(signal)) errors.push(notSupported(field, signal, supported));
  }
}

export type ProbeKind = 'livenessProbe' | 'readinessProbe' | 'startupProbe';

export function validateProbe(
  errors: FieldError[],
  probe: Probe,
  kind: ProbeKind,
  rules: HookRules,
  field: string,
): void {
  validateHandler(errors, probe, rules, field);
  for (const name of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const) {
    if ((probe[name] ?? 0) < 0) errors.push(invalid(`${field}.${name}`, probe[name], NOT_NEGATIVE));
  }
  const grace = probe.terminationGracePeriodSeconds;
  const gracePath = `${field}.terminationGracePeriodSeconds`;
  if (grace !== undefined && grace <= 0) errors.push(invalid(gracePath, grace, 'must be greater than 0'));
  if (kind === 'readinessProbe') {
    if (grace !== undefined) errors.push(invalid(gracePath, grace, 'must not be set for readinessProbes'));
  } else if (probe.successThreshold !== 1) {
    errors.push(invalid(`${field}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'));
  }
}

type Handler = LifecycleHandler & Pick<Probe, 'grpc'>;
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

function validateHandler(errors: FieldError[], handler: Handler, rules: HookRules, field: string): void {
  const [first, ...others] = HANDLERS.filter((name) => handler[name] !== undefined);
  if (first === undefined) {
    errors.push(required(field, 'must specify a handler type'));
    return;
  }
  validateAction(errors, handler, first, rules, field);
  for (const name of others) {
    errors.push(forbidden(`${field}.${name}`, 'may not specify more than 1 handler type'));
  }
}

function validateAction(
  errors: FieldError[],
  { exec, httpGet, tcpSocket, grpc, sleep }: Handler,
  name: (typeof HANDLERS)[number],
  rules: HookRules,
  field: string,
): void {
  const path = `${field}.${name}`;
  if (name === 'exec' && !exec?.command?.length) errors.push(required(`${path}.command`));
  if (name === 'httpGet' && httpGet) validateHttpGet(errors, httpGet, path);
  if (name === 'tcpSocket') validatePort(errors, tcpSocket?.port, `${path}.port`);
  if (name === 'grpc') validatePort(errors, grpc?.port, `${path}.port`);
  const { gracePeriodSeconds: grace } = rules;
  const seconds = sleep?.seconds ?? 0;
  if (name === 'sleep' && grace !== undefined && (seconds < 0 || seconds > grace)) {
    errors.push(
      invalid(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`),
    );
  }
}

function validateHttpGet(errors: FieldError[], get: HTTPGetAction, field: string): void {
  if (!get.path) errors.push(required(`${field}.path`));
  validatePort(errors, get.port, `${field}.port`);
  if (get.scheme !== 'HTTP' && get.scheme !== 'HTTPS') {
    errors.push(notSupported(`${field}.scheme`, get.scheme ?? '', ['HTTP', 'HTTPS']));
  }
  for (const { name = '' } of get.httpHeaders ?? []) {
    invalidEach(errors, `${field}.httpHeaders`, name, httpHeaderName(name));
  }
}

/** By number, or by the name of a container's port. Absent is the number 0. */
function validatePort(errors: FieldError[], port: number | string | undefined, field: string): void {
  const value = port ?? 0;
  invalidEach(errors, field, value, typeof value === 'number' ? portNumber(value) : portName(value));
}
