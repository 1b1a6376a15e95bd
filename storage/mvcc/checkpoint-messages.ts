export interface CheckpointWorkerData {
  readonly path: string;
}

export interface CheckpointOutcome {
  /** Everything committed before the checkpoint began is in the database file, and synced. */
  readonly complete: boolean;
}
