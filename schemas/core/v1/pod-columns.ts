/** Pods in tables, as `kubectl get pods` shows them. */
import { ageColumn, column, nameColumn, translateTimestampSince } from '../../columns.js';
import type { KubeObject, TableColumn, TableRowCondition } from '../../definition.js';
import { specOf, statusOf } from './pod-object.js';
import { isSidecar } from './pod-qos.js';
import type { ContainerStatus } from './pod-status.js';

const NONE = '<none>';

/** What three columns are made from. */
interface Summary {
  ready: number;
  total: number;
  reason: string;
  restarts: number;
  /** When a container last ended before it was restarted, RFC 3339; empty for never. */
  lastRestart: string;
}

function summarize(pod: KubeObject): Summary {
  const spec = specOf(pod);
  const status = statusOf(pod);
  const gated = status.conditions?.some(
    (condition) => condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated',
  );
  const summary: Summary = {
    ready: 0,
    total: (spec.containers ?? []).length + (spec.initContainers ?? []).filter(isSidecar).length,
    reason: gated ? 'SchedulingGated' : status.reason || (status.phase ?? ''),
    restarts: 0,
    lastRestart: '',
  };
  const sidecarRestarts = addInitContainers(summary, pod);
  const isInitialized = status.conditions?.some(
    (condition) => condition.type === 'Initialized' && condition.status === 'True',
  );
  if (!summary.reason.startsWith('Init:') || isInitialized) {
    Object.assign(summary, sidecarRestarts);
    addContainers(summary, pod);
  }
  if (pod.metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') summary.reason = 'Unknown';
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') summary.reason = 'Terminating';
  }
  return summary;
}

function countRestarts(
  counts: Pick<Summary, 'restarts' | 'lastRestart'>,
  { restartCount = 0, lastState }: ContainerStatus,
): void {
  counts.restarts += restartCount;
  const ended = lastState?.terminated?.finishedAt ?? '';
  if (ended > counts.lastRestart) counts.lastRestart = ended;
}

/** Sets the reason while they run, and counts; gives the counts of the sidecars alone. */
function addInitContainers(summary: Summary, pod: KubeObject): Pick<Summary, 'restarts' | 'lastRestart'> {
  const { initContainers = [] } = specOf(pod);
  const sidecars = new Set(initContainers.filter(isSidecar).map((container) => container.name));
  const ofSidecars = { restarts: 0, lastRestart: '' };
  for (const [i, container] of (statusOf(pod).initContainerStatuses ?? []).entries()) {
    const isOfSidecar = sidecars.has(container.name);
    countRestarts(summary, container);
    if (isOfSidecar) countRestarts(ofSidecars, container);
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isOfSidecar && container.started) {
      if (container.ready) summary.ready++;
      continue;
    }
    if (terminated) summary.reason = `Init:${terminated.reason || endOf(terminated)}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing')
      summary.reason = `Init:${waiting.reason}`;
    else summary.reason = `Init:${i}/${initContainers.length}`;
    break;
  }
  return ofSidecars;
}

const endOf = ({
  signal,
  exitCode,
}: {
  signal?: number | undefined;
  exitCode?: number | undefined;
}): string => (signal ? `Signal:${signal}` : `ExitCode:${exitCode ?? 0}`);

/** The first container that has something to tell gives the reason. */
function addContainers(summary: Summary, pod: KubeObject): void {
  const { containerStatuses = [], conditions = [] } = statusOf(pod);
  let isAnyRunning = false;
  for (const container of containerStatuses.toReversed()) {
    countRestarts(summary, container);
    const { waiting, terminated, running } = container.state ?? {};
    if (waiting?.reason) summary.reason = waiting.reason;
    else if (terminated) summary.reason = terminated.reason || endOf(terminated);
    else if (container.ready && running) {
      isAnyRunning = true;
      summary.ready++;
    }
  }
  if (summary.reason === 'Completed' && isAnyRunning) {
    const isReady = conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
    summary.reason = isReady ? 'Running' : 'NotReady';
  }
}

/** The three columns are asked for one after the other. */
let last: { readonly pod: KubeObject; readonly summary: Summary } | undefined;

function summaryOf(pod: KubeObject): Summary {
  if (last?.pod !== pod) last = { pod, summary: summarize(pod) };
  return last.summary;
}

export const podColumns: readonly TableColumn[] = [
  nameColumn,
  column('Ready', 'Containers that are ready, of all.', (pod) => {
    const { ready, total } = summaryOf(pod);
    return `${ready}/${total}`;
  }),
  column('Status', 'Phase, or what keeps the pod from running.', (pod) => summaryOf(pod).reason),
  column('Restarts', 'How often containers were restarted, and when last.', (pod, now) => {
    const { restarts, lastRestart } = summaryOf(pod);
    return restarts > 0 && lastRestart !== ''
      ? `${restarts} (${translateTimestampSince(lastRestart, now)} ago)`
      : `${restarts}`;
  }),
  ageColumn,
  column('IP', 'Address of the pod.', (pod) => statusOf(pod).podIPs?.[0]?.ip || NONE, { priority: 1 }),
  column('Node', 'Node the pod runs on.', (pod) => specOf(pod).nodeName || NONE, { priority: 1 }),
  column(
    'Nominated Node',
    'Node on which others make room for the pod.',
    (pod) => statusOf(pod).nominatedNodeName || NONE,
    { priority: 1 },
  ),
  column('Readiness Gates', 'Conditions that are met, of those that must be.', readinessGates, {
    priority: 1,
  }),
];

function readinessGates(pod: KubeObject): string {
  const { readinessGates: gates = [] } = specOf(pod);
  if (gates.length === 0) return NONE;
  const { conditions = [] } = statusOf(pod);
  const holding = new Set(conditions.filter(({ status }) => status === 'True').map(({ type }) => type));
  const met = gates.filter(({ conditionType }) => holding.has(conditionType));
  return `${met.length}/${gates.length}`;
}

const completed = (reason: string, message: string): readonly TableRowCondition[] => [
  { type: 'Completed', status: 'True', reason, message },
];
const succeeded = completed('Succeeded', 'The pod has completed successfully.');
const failed = completed('Failed', 'The pod failed.');

export function podRowConditions(pod: KubeObject): readonly TableRowCondition[] {
  const { phase } = statusOf(pod);
  if (phase === 'Succeeded') return succeeded;
  return phase === 'Failed' ? failed : [];
}
