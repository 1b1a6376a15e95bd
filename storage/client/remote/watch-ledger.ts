/**
 * What a watch stream's user knows, so that a new connection can go on where the last one ended: each watch from the
 * revision after the last that it was told of. Decides everything and does nothing; watch-stream.ts drives it.
 *
 * A watch has the same id with its user and on every connection. Ids are chosen here by etcd's rule (from 0 upwards, those
 * in use left out) and asked for; only 0, which stands for "choose one", is left to the server, whose first choice it is.
 */
import { EtcdError, GrpcCode } from '../../errors.js';
import type { WatchRequest } from '../../grpc/messages/watch.js';
import type { ResponseHeader, WatchCreateRequest, WatchEvent, WatchResponse } from '../interface.js';

interface Watch {
  readonly request: WatchCreateRequest;
  readonly id: number;
  /** Its user has been told that it was created. */
  told: boolean;
  /** Its user wants no more of it. */
  cancelled: boolean;
  /** Everything below has been told. 0: begins with what happens after its creation. */
  next: number;
  /** Events of revision `next` that have been told already; a server may send one in fragments. */
  toldOfNext: number;
  /** Of those, how many this connection will repeat. */
  repeated: number;
}

/** Of a response that concerns no watch, or all of them. */
const NO_WATCH_ID = -1;

export class WatchLedger {
  /** Created, in the order of creation. */
  readonly #watches = new Map<number, Watch>();
  /** Not yet created as far as the user knows. */
  readonly #fresh = new Set<Watch>();
  /** Whose creation this connection has yet to answer, in order. */
  #unanswered: Watch[] = [];
  /** Those that this connection has created. */
  readonly #here = new Set<Watch>();
  #nextId = 0;
  #header: ResponseHeader | undefined;

  get isEmpty(): boolean {
    return this.#watches.size === 0 && this.#fresh.size === 0;
  }

  create(request: WatchCreateRequest): WatchRequest {
    const watch: Watch = {
      request,
      id: request.watchId || this.#chooseId(),
      told: false,
      cancelled: false,
      next: Math.max(request.startRevision ?? 0, 0),
      toldOfNext: 0,
      repeated: 0,
    };
    this.#fresh.add(watch);
    return this.#creation(watch);
  }

  /** Undefined: there is no such watch. */
  cancel(watchId: number): WatchRequest | undefined {
    const watch = this.#watches.get(watchId) ?? [...this.#fresh].find(({ id }) => id === watchId);
    if (watch === undefined || watch.cancelled) return undefined;
    watch.cancelled = true;
    return { type: 'cancel', watchId };
  }

  /** The connection is lost. What its user is told at once: the ends of watches that were being cancelled. */
  disconnected(): WatchResponse[] {
    this.#here.clear();
    const ends: WatchResponse[] = [];
    for (const watch of this.#watches.values()) {
      if (!watch.cancelled || this.#header === undefined) continue;
      this.#watches.delete(watch.id);
      ends.push({ header: this.#header, watchId: watch.id, canceled: true, events: [] });
    }
    return ends;
  }

  /** What to send on a new connection. */
  connected(): WatchRequest[] {
    this.#unanswered = [];
    const messages: WatchRequest[] = [];
    // The one whose id the server chooses comes first.
    const watches = [...this.#watches.values()].sort(
      (one, other) => Number(one.id !== 0) - Number(other.id !== 0),
    );
    for (const watch of [...watches, ...this.#fresh]) {
      messages.push(this.#creation(watch));
      if (watch.cancelled) messages.push({ type: 'cancel', watchId: watch.id });
    }
    return messages;
  }

  /** What the user is to be told of a response; undefined: nothing. Throws EtcdError where the server is not one. */
  received(response: WatchResponse): WatchResponse | undefined {
    this.#header = response.header;
    if (response.created === true) return this.#created(response);
    if (response.watchId === NO_WATCH_ID) return this.#progress(response);
    const watch = this.#watches.get(response.watchId);
    if (watch === undefined || !this.#here.has(watch)) return undefined;
    if (response.canceled === true) {
      this.#watches.delete(watch.id);
      this.#here.delete(watch);
      return response;
    }
    if (watch.cancelled) return undefined;
    if (response.events.length === 0) {
      // The server tells this one that it has been told everything.
      advance(watch, response.header.revision + 1);
      return response;
    }
    const events = newEvents(watch, response.events);
    note(watch, events, response);
    if (events.length === 0) return undefined;
    return events === response.events ? response : { ...response, events };
  }

  #created(response: WatchResponse): WatchResponse | undefined {
    const watch = this.#unanswered.shift();
    if (watch === undefined) return undefined;
    this.#fresh.delete(watch);
    if (response.canceled === true) {
      this.#giveBack(watch);
      if (!watch.told) return response;
      this.#watches.delete(watch.id);
      const { created: _, ...end } = response;
      return { ...end, watchId: watch.id };
    }
    if (response.watchId !== watch.id) {
      throw new EtcdError(
        GrpcCode.Internal,
        `the server has given watch id ${response.watchId} where ${watch.id} was asked for`,
      );
    }
    if (watch.next === 0) watch.next = response.header.revision + 1;
    this.#watches.set(watch.id, watch);
    this.#here.add(watch);
    if (watch.told) return undefined;
    watch.told = true;
    return response;
  }

  /** All watches of this connection have been told everything up to the header's revision. */
  #progress(response: WatchResponse): WatchResponse {
    for (const watch of this.#here) if (!watch.cancelled) advance(watch, response.header.revision + 1);
    return response;
  }

  #creation(watch: Watch): WatchRequest {
    this.#unanswered.push(watch);
    watch.repeated = watch.toldOfNext;
    const { request, id, next } = watch;
    return { ...request, type: 'create', watchId: id, startRevision: next };
  }

  #chooseId(): number {
    const used = new Set(this.#watches.keys());
    for (const { id } of this.#fresh) used.add(id);
    while (used.has(this.#nextId)) this.#nextId += 1;
    return this.#nextId++;
  }

  /** An id that the server has refused to create is the next to be chosen, as in etcd. */
  #giveBack({ id, request }: Watch): void {
    if (!request.watchId && id === this.#nextId - 1) this.#nextId = id;
  }
}

function advance(watch: Watch, next: number): void {
  if (next <= watch.next) return;
  watch.next = next;
  watch.toldOfNext = 0;
  watch.repeated = 0;
}

/** Without those that have been told: a server behind the one before, or the rest of a revision in fragments. */
function newEvents(watch: Watch, events: readonly WatchEvent[]): readonly WatchEvent[] {
  const first = events[0]?.kv.modRevision ?? 0;
  if (first >= watch.next && watch.repeated === 0) return events;
  return events.filter(({ kv }) => {
    if (kv.modRevision < watch.next) return false;
    if (kv.modRevision > watch.next || watch.repeated === 0) return true;
    watch.repeated -= 1;
    return false;
  });
}

function note(watch: Watch, told: readonly WatchEvent[], { events, fragment }: WatchResponse): void {
  const last = events.at(-1)?.kv.modRevision ?? 0;
  if (fragment !== true) return advance(watch, last + 1);
  // The rest of this revision may be in the next fragment.
  advance(watch, last);
  if (last === watch.next) watch.toldOfNext += told.filter(({ kv }) => kv.modRevision === last).length;
}
