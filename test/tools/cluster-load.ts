/**
 * Clients that read, write, compare-and-set and create ConfigMaps through any member, and record what came of it.
 * Some keys are shared by all and written over and over, until new ones take their place so that no key's history grows
 * without bound; others are created once, by whoever is first.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../raft/random.js';
import { type Answer, ApiClient, NoAnswerError, NotSentError, messageOf } from './api-client.js';
import type { Cluster } from './cluster.js';
import type { ClusterMember } from './cluster-member.js';
import type { Call, History } from './history.js';
import type { Value } from './linearizability.js';

export const COLLECTION = '/api/v1/namespaces/default/configmaps';

const SHARED_KEYS = 4;
/** Then other keys are taken. */
const OPERATIONS_PER_KEY_MAX = 1500;
/** A member that is stopped keeps a client for so long. */
const REQUEST_TIMEOUT_MS = 3000;
const PAUSE_MS_MAX = 15;
/** Where nobody listens there is no need to hurry. */
const REFUSED_PAUSE_MS = 30;
/** Up to which of a hundred an operation is what; and how often a client goes to another member without a reason. */
const PERCENT = { read: 40, write: 65, swap: 85, move: 3 };

export interface ConfigMap {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly data?: { readonly value: string };
}

interface Seen {
  readonly value: Value;
  readonly resourceVersion: string;
}

export interface ClusterLoadOptions {
  readonly cluster: Cluster;
  readonly history: History;
  readonly random: Random;
  /** 12 when absent. */
  readonly clients?: number;
}

export class ClusterLoad {
  readonly #options: ClusterLoadOptions;
  readonly #client = new ApiClient();
  #stopping = false;
  #running: Promise<unknown> = Promise.resolve();
  #operations = 0;
  #values = 0;
  /** Answers that were neither success nor an ordinary refusal, by text. */
  readonly errors = new Map<string, number>();
  /** Answers that no client should get. */
  readonly surprises: string[] = [];

  constructor(options: ClusterLoadOptions) {
    this.#options = options;
  }

  start(): void {
    const { clients = 12 } = this.#options;
    this.#running = Promise.all(Array.from({ length: clients }, (_, client) => this.#run(client)));
  }

  /** Resolves when the last request is over. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    this.#client.close();
  }

  /** A value that nobody has written yet. */
  newValue(client: number | string): string {
    this.#values += 1;
    return `${client}-${this.#values}`;
  }

  async #run(client: number): Promise<void> {
    const { random } = this.#options;
    const seen = new Map<string, Seen>();
    let member = this.#anyMember();
    while (!this.#stopping) {
      this.#operations += 1;
      try {
        const isAnswered = await this.#operate(client, member, seen);
        if (!isAnswered || random.between(1, 100) <= PERCENT.move) member = this.#anyMember();
        await sleep(random.between(0, PAUSE_MS_MAX));
      } catch (error) {
        if (!(error instanceof NotSentError)) throw error;
        member = this.#anyMember();
        await sleep(REFUSED_PAUSE_MS);
      }
    }
  }

  #anyMember(): ClusterMember {
    const { cluster, random } = this.#options;
    const member = cluster.members[random.between(0, cluster.members.length - 1)];
    if (member === undefined) throw new Error('a cluster has members');
    return member;
  }

  /** One operation, whatever it may be. False where its outcome is unknown. */
  async #operate(client: number, member: ClusterMember, seen: Map<string, Seen>): Promise<boolean> {
    const { random } = this.#options;
    const generation = Math.floor(this.#operations / (OPERATIONS_PER_KEY_MAX * SHARED_KEYS));
    const key = `shared-${generation}-${random.between(0, SHARED_KEYS - 1)}`;
    const chance = random.between(0, 99);
    const known = seen.get(key);
    if (chance < PERCENT.read) return this.#read(client, member, key, seen);
    if (known?.value === undefined) return this.#create(client, member, key, seen);
    if (chance < PERCENT.write) return this.#write(client, member, key, seen);
    if (chance < PERCENT.swap) return this.#swap(client, member, key, known, seen);
    // Clients that come here at about the same time fight for the same name.
    return this.#create(client, member, `once-${Math.floor(this.#operations / 40)}`, seen);
  }

  async #read(client: number, member: ClusterMember, key: string, seen: Map<string, Seen>): Promise<boolean> {
    const call = this.#options.history.begin(client, key);
    const answer = await this.#send({ method: 'GET', url: `${member.url}${COLLECTION}/${key}` });
    if (answer === undefined) return false;
    if (answer.status === 200) this.#sawRead(call, answer, seen);
    else if (answer.status === 404) this.#sawNothing(call, seen);
    else this.#surprise(member, call, answer);
    return true;
  }

  /** Without a resourceVersion: over whatever there is. */
  async #write(
    client: number,
    member: ClusterMember,
    key: string,
    seen: Map<string, Seen>,
  ): Promise<boolean> {
    const { history } = this.#options;
    const value = this.newValue(client);
    const call = history.begin(client, key);
    const body = { metadata: { name: key }, data: { value } };
    const answer = await this.#send({ method: 'PUT', url: `${member.url}${COLLECTION}/${key}`, body });
    if (answer === undefined) history.maybeWrote(call, value);
    else if (answer.status === 200) history.wrote(call, value, this.#sawWrite(call, answer, seen));
    else if (answer.status === 404) this.#sawNothing(call, seen);
    else this.#surprise(member, call, answer);
    return answer !== undefined;
  }

  /** With the resourceVersion of what it was last seen to hold. */
  async #swap(
    client: number,
    member: ClusterMember,
    key: string,
    { value: expected, resourceVersion }: Seen,
    seen: Map<string, Seen>,
  ): Promise<boolean> {
    const { history } = this.#options;
    const value = this.newValue(client);
    const call = history.begin(client, key);
    const body = { metadata: { name: key, resourceVersion }, data: { value } };
    const answer = await this.#send({ method: 'PUT', url: `${member.url}${COLLECTION}/${key}`, body });
    if (answer === undefined) history.maybeSwapped(call, expected, value);
    else if (answer.status === 200)
      history.swapped(call, expected, value, this.#sawWrite(call, answer, seen));
    else if (answer.status === 409) history.notSwapped(call, expected, value);
    else this.#surprise(member, call, answer);
    // Whoever was too late, or does not know, looks before it tries again.
    if (answer?.status !== 200) seen.delete(key);
    return answer !== undefined;
  }

  async #create(
    client: number,
    member: ClusterMember,
    key: string,
    seen: Map<string, Seen>,
  ): Promise<boolean> {
    const { history } = this.#options;
    const value = this.newValue(client);
    const call = history.begin(client, key);
    const body = { metadata: { name: key }, data: { value } };
    const answer = await this.#send({ method: 'POST', url: `${member.url}${COLLECTION}`, body });
    if (answer === undefined) history.maybeSwapped(call, undefined, value);
    else if (answer.status === 201)
      history.swapped(call, undefined, value, this.#sawWrite(call, answer, seen));
    else if (answer.status === 409) history.notSwapped(call, undefined, value);
    else this.#surprise(member, call, answer);
    if (answer?.status === 409) return this.#read(client, member, key, seen);
    return answer !== undefined;
  }

  /** Undefined where the outcome is unknown. @throws NotSentError */
  async #send(request: {
    readonly method: 'GET' | 'POST' | 'PUT';
    readonly url: string;
    readonly body?: object;
  }): Promise<Answer | undefined> {
    try {
      const answer = await this.#client.send({ ...request, timeoutMs: REQUEST_TIMEOUT_MS });
      if (answer.status < 500) return answer;
      this.#countError(messageOf(answer));
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      this.#countError(error.message);
    }
    return undefined;
  }

  #countError(text: string): void {
    this.errors.set(text, (this.errors.get(text) ?? 0) + 1);
  }

  #sawRead(call: Call, answer: Answer, seen: Map<string, Seen>): void {
    const { metadata, data } = answer.body as ConfigMap;
    this.#options.history.read(call, data?.value, Number(metadata.resourceVersion));
    seen.set(call.key, { value: data?.value, resourceVersion: metadata.resourceVersion });
  }

  #sawNothing(call: Call, seen: Map<string, Seen>): void {
    this.#options.history.read(call, undefined, 0);
    seen.delete(call.key);
  }

  /** Gives the revision. */
  #sawWrite(call: Call, answer: Answer, seen: Map<string, Seen>): number {
    const { metadata, data } = answer.body as ConfigMap;
    seen.set(call.key, { value: data?.value, resourceVersion: metadata.resourceVersion });
    return Number(metadata.resourceVersion);
  }

  #surprise(member: ClusterMember, call: Call, answer: Answer): void {
    this.surprises.push(`${member.name} answered for ${call.key}: ${messageOf(answer)}`);
  }
}

/** Lists through one member, consistently. Gives each object by name. */
export async function listConfigMaps(client: ApiClient, url: string): Promise<Map<string, ConfigMap>> {
  const answer = await client.send({ method: 'GET', url: url + COLLECTION, timeoutMs: 30_000 });
  if (answer.status !== 200) throw new Error(`a list was answered with ${messageOf(answer)}`);
  const { items } = answer.body as { readonly items: readonly ConfigMap[] };
  return new Map(items.map((item) => [item.metadata.name, item]));
}
