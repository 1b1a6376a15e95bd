import type { Message } from '../tools/etcd-definitions.js';
import { show } from './operations.js';

const PROGRESS_ID = '-1';

/** One watch, as its client has seen it. */
export interface WatchTrack {
  /** What has come and was not compared yet, each as a text. */
  readonly items: string[];
  /** Revision of the newest event. */
  revision: number;
  canceled: boolean;
}

/**
 * What came on one stream. How events are split over responses is the store's own affair, but what etcd promises is
 * checked: order, and that a revision is never split unless that was asked for.
 */
export class WatchLog {
  readonly tracks = new Map<string, WatchTrack>();
  /** Answers to create requests. */
  readonly created: Message[] = [];
  /** Revisions of the answers to progress requests. */
  readonly progress: number[] = [];
  /** What broke a promise. */
  readonly broken: string[] = [];
  /** Watches whose newest response said that more of its last revision comes. */
  readonly #unfinished = new Set<string>();
  #ended = false;

  add(response: Message): void {
    const id = String(response['watchId']);
    if (response['created'] === true) {
      this.created.push(response);
      this.#addCreated(id, response);
      return;
    }
    if (id === PROGRESS_ID) {
      this.progress.push(revisionOf(response));
      return;
    }
    const track = this.#track(id);
    if (response['canceled'] === true) {
      track.canceled = true;
      track.items.push(`canceled ${show(response['cancelReason'])} ${show(response['compactRevision'])}`);
      return;
    }
    this.#addEvents(id, track, response);
  }

  end(status: { readonly code: number; readonly text: string }): void {
    this.#ended = true;
    if (status.code !== 1) this.broken.push(`the stream ended: ${show(status)}`);
  }

  get ended(): boolean {
    return this.#ended;
  }

  #addCreated(id: string, response: Message): void {
    const track = this.#track(id);
    if (id === PROGRESS_ID) {
      track.items.push(`refused ${show(response['cancelReason'])}`);
      return;
    }
    track.items.push(`created at ${revisionOf(response)}`);
    // The id may have been another watch's.
    track.revision = 0;
    track.canceled = false;
  }

  #addEvents(id: string, track: WatchTrack, response: Message): void {
    const events = response['events'] as Message[];
    const revisions = events.map(({ kv }) => Number((kv as Message)['modRevision']));
    const [first = Infinity] = revisions;
    if (first <= track.revision && !(first === track.revision && this.#unfinished.has(id))) {
      this.broken.push(`watch ${id}: revision ${first} after ${track.revision}`);
    }
    if (revisions.some((revision, index) => revision < (revisions[index - 1] ?? 0))) {
      this.broken.push(`watch ${id}: out of order: ${revisions.join(' ')}`);
    }
    if ((revisions.at(-1) ?? 0) > revisionOf(response)) {
      this.broken.push(`watch ${id}: an event of the future of its header, ${revisionOf(response)}`);
    }
    if (response['fragment'] === true) this.#unfinished.add(id);
    else this.#unfinished.delete(id);
    track.revision = Math.max(track.revision, revisions.at(-1) ?? 0);
    track.items.push(...events.map(show));
  }

  #track(id: string): WatchTrack {
    let track = this.tracks.get(id);
    if (track === undefined) {
      track = { items: [], revision: 0, canceled: false };
      this.tracks.set(id, track);
    }
    return track;
  }
}

function revisionOf(response: Message): number {
  return Number((response['header'] as Message | null)?.['revision'] ?? 0);
}
