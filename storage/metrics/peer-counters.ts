import { exponential, Histogram } from './histogram.js';

/** etcd's bounds: 0.1 ms to 3.3 s. */
const ROUND_TRIP_BOUNDS = exponential(0.0001, 2, 16);

/** What is counted of one other member. */
export class PeerCounters {
  sentBytes = 0;
  receivedBytes = 0;
  sendFailures = 0;
  isConnected = false;
  disconnections = 0;
  readonly roundTrips = new Histogram(ROUND_TRIP_BOUNDS);
}
