/** Calls of clients, in the names that gRPC servers in Go use. */
import { type Family, type Labels, labelled, labelledHistogram } from '../family.js';
import { GRPC_CODE_NAMES, type MethodCounters } from '../grpc-counters.js';
import type { Readings } from '../readings.js';

export function grpcFamilies({ grpc }: Readings): Family[] {
  const { methods } = grpc;
  const by = (value: (counters: MethodCounters) => number) =>
    methods.map((counters) => [labelsOf(counters), value(counters)] as const);
  const times = methods.flatMap((counters) =>
    counters.seconds === undefined ? [] : [[labelsOf(counters), counters.seconds] as const],
  );
  return [
    labelled(
      'counter',
      'grpc_server_started_total',
      'Calls that began.',
      by(({ started }) => started),
    ),
    labelled('counter', 'grpc_server_handled_total', 'Calls that ended, by their outcome.', handled(methods)),
    labelled(
      'counter',
      'grpc_server_msg_received_total',
      'Messages that came in.',
      by(({ messagesReceived }) => messagesReceived),
    ),
    labelled(
      'counter',
      'grpc_server_msg_sent_total',
      'Messages that went out.',
      by(({ messagesSent }) => messagesSent),
    ),
    ...(times.length === 0
      ? []
      : [labelledHistogram('grpc_server_handling_seconds', 'From a call’s begin to its end.', times)]),
  ];
}

function* handled(methods: readonly MethodCounters[]): Generator<readonly [Labels, number]> {
  for (const counters of methods) {
    for (const [code, grpc_code] of GRPC_CODE_NAMES.entries()) {
      yield [{ ...labelsOf(counters), grpc_code }, counters.handled[code] ?? 0];
    }
  }
}

function labelsOf({ method }: MethodCounters): Labels {
  return { grpc_method: method.name, grpc_service: method.service, grpc_type: method.type };
}
