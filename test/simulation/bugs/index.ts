/** Known mistakes in Raft and its drivers, each of which the simulation must find. */
import { driverBugs } from './driver.js';
import { electionBugs } from './elections.js';
import { membershipBugs } from './membership.js';
import type { PlantedBug } from './patch.js';
import { readBugs } from './reads.js';
import { replicationBugs } from './replication.js';

export const plantedBugs: readonly PlantedBug[] = [
  ...electionBugs,
  ...replicationBugs,
  ...readBugs,
  ...membershipBugs,
  ...driverBugs,
];
