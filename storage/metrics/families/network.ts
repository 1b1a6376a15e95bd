/** Clients, and the other members. */
import { type Family, type Labels, counter, labelled, labelledHistogram } from '../family.js';
import type { PeerCounters } from '../peer-counters.js';
import { type Readings, hexOf } from '../readings.js';

export function networkFamilies(readings: Readings): Family[] {
  return [
    counter(
      'etcd_network_client_grpc_received_bytes_total',
      'Bytes of gRPC messages of clients.',
      readings.grpc.receivedBytes,
    ),
    counter(
      'etcd_network_client_grpc_sent_bytes_total',
      'Bytes of gRPC messages to clients.',
      readings.grpc.sentBytes,
    ),
    ...peerFamilies(readings),
  ];
}

function peerFamilies({ counters, memberId, others }: Readings): Family[] {
  const peers = [...counters.peers];
  const by = (label: 'To' | 'From', value: (peer: PeerCounters) => number) =>
    peers.map(([id, peer]): readonly [Labels, number] => [{ [label]: hexOf(id) }, value(peer)]);
  const between = (id: bigint): Labels => ({ Local: hexOf(memberId), Remote: hexOf(id) });
  const betweenAll = (value: (peer: PeerCounters) => number) =>
    peers.map(([id, peer]) => [between(id), value(peer)] as const);
  return [
    labelled(
      'counter',
      'etcd_network_peer_sent_bytes_total',
      'Bytes of messages to a member.',
      by('To', ({ sentBytes }) => sentBytes),
    ),
    labelled(
      'counter',
      'etcd_network_peer_received_bytes_total',
      'Bytes of messages of a member.',
      by('From', ({ receivedBytes }) => receivedBytes),
    ),
    labelled(
      'counter',
      'etcd_network_peer_sent_failures_total',
      'Times that messages to a member may have been lost.',
      by('To', ({ sendFailures }) => sendFailures),
    ),
    labelledHistogram(
      'etcd_network_peer_round_trip_time_seconds',
      'Of a question to a member and its answer.',
      peers.map(([id, { roundTrips }]) => [{ To: hexOf(id) }, roundTrips] as const),
    ),
    labelled(
      'gauge',
      'etcd_network_active_peers',
      'Whether there is a connection to a member.',
      betweenAll(({ isConnected }) => Number(isConnected)),
    ),
    labelled(
      'counter',
      'etcd_network_disconnected_peers_total',
      'Connections to a member that ended.',
      betweenAll(({ disconnections }) => disconnections),
    ),
    labelled(
      'gauge',
      'etcd_network_known_peers',
      'The other members.',
      others.map((id) => [between(id), 1] as const),
    ),
  ];
}
