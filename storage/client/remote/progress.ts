/**
 * Progress requests of one watch stream. A server answers one when all watches are synced, and some servers forget it when
 * they are not; so it is repeated until there is an answer. Which request an answer is to cannot be seen, and one made
 * before a watch was created says nothing of that watch: such answers are passed over.
 */

/** etcd from these versions on answers a progress request only after the events that the answer counts in. */
const TRUSTED = [
  [3, 4, 31],
  [3, 5, 13],
] as const;

/**
 * Before them the answer overtook events (etcd issue 15220), or was given while watches still read history, and watches
 * could be told old news: kube-apiserver trusts the same versions. An unknown version is not trusted.
 */
export function isProgressTrusted(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = (/^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1) ?? []).map(
    Number,
  );
  const line = TRUSTED.find((trusted) => trusted[0] === major && trusted[1] === minor);
  if (line !== undefined) return patch >= line[2];
  return major > 3 || (major === 3 && minor > 5);
}

export class ProgressRequests {
  /** The user has asked and has had no answer. */
  #wanted = false;
  /** The user has asked again since the last was sent. */
  #again = false;
  /** One is under way on this connection. */
  #sent = false;
  /** No more than so many answers are still to come. */
  #unanswered = 0;
  /** Of those, to requests from before the newest watch. */
  #stale = 0;

  get isWanted(): boolean {
    return this.#wanted;
  }

  /** The user asks. */
  want(): void {
    if (this.#sent) this.#again = true;
    this.#wanted = true;
  }

  /** Whether to send one now; `repeat`: although one is under way. */
  take({ repeat }: { readonly repeat: boolean }): boolean {
    if (!this.#wanted || (this.#sent && !repeat)) return false;
    this.#sent = true;
    this.#again = false;
    this.#unanswered += 1;
    return true;
  }

  /** A watch is about to be created. */
  creating(): void {
    this.#stale = this.#unanswered;
  }

  /** Whether the answer counts. */
  answered(): boolean {
    this.#unanswered = Math.max(0, this.#unanswered - 1);
    this.#sent = false;
    if (this.#stale > 0) {
      this.#stale -= 1;
      return false;
    }
    const counts = this.#wanted;
    this.#wanted = this.#again;
    this.#again = false;
    return counts;
  }

  disconnected(): void {
    this.#sent = false;
    this.#unanswered = 0;
    this.#stale = 0;
  }

  /** There will be no answer. */
  giveUp(): void {
    this.#wanted = false;
    this.#again = false;
  }
}
