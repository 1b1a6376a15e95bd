/**
 * One watch: a cursor over the changes that the cache holds for all. It goes through three stages: the state at its start
 * (an immutable snapshot), the history that memory no longer has, and the live window.
 */
import type { StatusError } from '../errors.js';
import type { BookmarkSchedule } from './bookmark-schedule.js';
import { type Change, matches } from './change.js';
import type { ChangeWindow } from './change-window.js';
import { History, type HistorySource } from './history.js';
import type { Scope } from './keys.js';
import type { StoredItem } from './stored-item.js';
import type { Selector, Watcher, WatchEvent } from './types.js';

/** Changes looked at in one read. */
const READ_CHANGES_MAX = 1024;

/** What a watcher needs of its cache. */
export interface WatcherHost extends HistorySource {
  readonly window: ChangeWindow;
  /** Every change up to this revision is in the window, or was. */
  readonly revision: number;
  bookmark(revision: number, initialEventsEnd: boolean): WatchEvent;
  wake(watcher: CacheWatcher): void;
  remove(watcher: CacheWatcher): void;
}

export interface WatcherStart {
  readonly scope: Scope;
  readonly labels: Selector;
  readonly fields: Selector;
  /** Changes up to this revision are not sent. */
  readonly after: number;
  /** The state at `after`, when it is to be sent first. */
  readonly initial: Iterator<StoredItem> | undefined;
  /** Say when the initial state is complete. */
  readonly announceEnd: boolean;
}

export class CacheWatcher implements Watcher {
  onReady: (() => void) | undefined;
  /** undefined: none are wanted. */
  bookmarks: BookmarkSchedule | undefined;
  readonly scope: Scope;
  private readonly labels: Selector;
  private readonly fields: Selector;
  /** Changes up to this revision are not sent, though the window may yet get them. */
  private after: number;
  private initial: Iterator<StoredItem> | undefined;
  private announceEnd: boolean;
  /** Every change up to this revision has been looked at. Meaningless while idle. */
  private position: number;
  /** Sequence number of the next change to look at. Meaningless while idle; below the window: see history. */
  private cursor: number;
  /** Nothing waits: everything that the cache has has been looked at. */
  private idle = false;
  private bookmarkDue = false;
  private history: History | undefined;
  private failure: StatusError | undefined;
  private closed = false;

  constructor(
    private readonly host: WatcherHost,
    start: WatcherStart,
  ) {
    this.scope = start.scope;
    this.labels = start.labels;
    this.fields = start.fields;
    this.after = start.after;
    this.position = start.after;
    this.initial = start.initial;
    this.announceEnd = start.announceEnd;
    const { window } = host;
    this.cursor = start.after < window.floor ? -1 : window.firstAfter(start.after);
  }

  get isCaughtUp(): boolean {
    return this.idle;
  }

  read(max: number): readonly WatchEvent[] {
    if (this.closed) return [];
    const events: WatchEvent[] = [];
    if (this.readInitial(events, max)) {
      if (this.readHistory(events, max)) this.readLive(events, max);
    }
    const { failure } = this;
    if (failure === undefined || events.length > 0) return events;
    this.close();
    throw failure;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.initial = undefined;
    this.history?.close();
    this.history = undefined;
    this.host.remove(this);
  }

  /** A change that concerns this watcher came, as `seq` of the window. Returns whether the reader is to be woken. */
  notify(seq: number, revision: number): boolean {
    if (!this.idle) return false;
    this.idle = false;
    this.cursor = seq;
    // Nothing of interest came before, so all earlier revisions count as seen.
    this.position = revision - 1;
    return true;
  }

  /** A bookmark is due. Returns whether the reader is to be woken. */
  notifyBookmark(): boolean {
    this.bookmarkDue = true;
    if (!this.idle) return false;
    this.resumeIdle(this.host.revision);
    return true;
  }

  /** The window is about to be emptied; everything up to `revision` was in it. Returns whether to wake the reader. */
  notifyReset(revision: number): boolean {
    const { idle } = this;
    if (idle) this.resumeIdle(revision);
    else if (this.cursor === this.host.window.end) this.position = Math.max(this.position, revision);
    this.cursor = -1;
    return idle;
  }

  /** Ends the watch with an error that the reader gets after what it has yet to read. */
  fail(error: StatusError): void {
    this.failure ??= error;
    this.idle = false;
    this.host.wake(this);
  }

  private resumeIdle(revision: number): void {
    this.idle = false;
    this.cursor = this.host.window.end;
    this.position = Math.max(this.after, revision);
  }

  /** Each stage returns whether it is complete and the next may add to `events`. */
  private readInitial(events: WatchEvent[], max: number): boolean {
    if (this.initial !== undefined) {
      let looked = 0;
      while (events.length < max && looked < READ_CHANGES_MAX) {
        const next = this.initial.next();
        if (next.done === true) {
          this.initial = undefined;
          break;
        }
        looked += 1;
        if (matches(next.value, this.labels, this.fields)) events.push(next.value.added);
      }
      if (this.initial !== undefined) {
        this.readOn(events);
        return false;
      }
    }
    if (!this.announceEnd) return true;
    if (events.length >= max) return false;
    this.announceEnd = false;
    events.push(this.host.bookmark(this.after, true));
    return true;
  }

  /** The reader stops at an empty answer, so it is woken again where only the budget of one read was used up. */
  private readOn(events: readonly WatchEvent[]): void {
    if (events.length === 0) this.host.wake(this);
  }

  private readHistory(events: WatchEvent[], max: number): boolean {
    const { window } = this.host;
    if (this.history === undefined) {
      if (this.cursor >= window.first) return true;
      if (this.failure !== undefined) return false;
      if (this.position >= window.floor) return this.goLive(this.position);
      this.history = new History(this.host, this.scope, this.position, () => this.host.wake(this));
    }
    const { history } = this;
    let change: Change | undefined;
    while (!this.isFull(events, max, history.nextRevision) && (change = history.take()) !== undefined) {
      this.look(change, events);
      this.position = change.revision;
    }
    if (history.nextRevision !== undefined) return false;
    if (history.failure !== undefined) {
      this.failure ??= history.failure;
      return false;
    }
    if (history.position >= window.floor) return this.goLive(history.position);
    history.askProgress();
    return false;
  }

  private goLive(position: number): true {
    this.history?.close();
    this.history = undefined;
    this.position = position;
    // A private watch may be ahead of the cache's own.
    this.after = Math.max(this.after, position);
    this.cursor = this.host.window.firstAfter(position);
    return true;
  }

  private readLive(events: WatchEvent[], max: number): void {
    const { window } = this.host;
    const last = Math.min(window.end, this.cursor + READ_CHANGES_MAX);
    for (;;) {
      const change = this.cursor < window.end ? window.at(this.cursor) : undefined;
      if (change === undefined || this.isFull(events, max, change.revision)) break;
      if (this.cursor >= last && change.revision !== this.position) break;
      this.look(change, events);
      this.position = change.revision;
      this.cursor += 1;
    }
    if (this.cursor < window.end) {
      this.readOn(events);
      return;
    }
    if (this.bookmarkDue) {
      if (events.length >= max) return;
      this.bookmarkDue = false;
      if (this.host.revision >= this.after) events.push(this.host.bookmark(this.host.revision, false));
    }
    this.idle = this.failure === undefined;
  }

  /**
   * No read ends within a revision, so that `position` always says exactly what has been seen: a transaction with more
   * changes than `max` is given whole.
   */
  private isFull(events: readonly WatchEvent[], max: number, next: number | undefined): boolean {
    return events.length >= max && next !== this.position;
  }

  private look(change: Change, events: WatchEvent[]): void {
    if (change.revision <= this.after) return;
    const { key, namespace } = this.scope;
    if (key === undefined ? namespace !== '' && change.namespace !== namespace : change.key !== key) return;
    const event = change.eventFor(this.labels, this.fields);
    if (event !== undefined) events.push(event);
  }
}
