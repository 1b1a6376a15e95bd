import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandResult } from '../tools/kubectl.js';
import { Etcdctl } from '../tools/etcdctl.js';
import type { Following } from '../tools/following.js';

/** Milliseconds: etcd wants its members connected for 5 s before it changes who they are. */
const EVENTUALLY_MS_MAX = 20_000;
const TRY_AGAIN_MS = 200;

/** What no two stores have in common, and how it reads in a transcript. The order counts. */
const NORMAL: readonly (readonly [RegExp, string])[] = [
  [/(https?:\/\/)?127\.0\.0\.1:\d+/g, '<address>'],
  // What took how long, and what Go's client logs beside an error, with the moment.
  [/\{"level":.*?\}\n/g, ''],
  [/took = [\d.µmns]+/g, 'took = <time>'],
  [/"took":"[^"]+"/g, '"took":"<time>"'],
  [/\|\s+[\d.]+(µs|ms|s)\s+\|/g, '| <time> |'],
  // Ids are 64 bits, in hexadecimal or in decimals; a lease's own key ends with it.
  [
    /"(cluster_id|member_id|leader|ID|raft_term|raftTerm|raftIndex|raftAppliedIndex|hash|dbSize|dbSizeInUse|memberID|ttl)":-?\d+/g,
    '"$1":<value>',
  ],
  [/"version":"[^"]*"/g, '"version":<value>'],
  [/"(ClusterID|MemberID|RaftTerm|Leader|RaftIndex|RaftAppliedIndex|DBSize|Hash)" : \S+/g, '"$1" : <value>'],
  [/"Version" : "[^"]+"/g, '"Version" : <value>'],
  [/\b[0-9a-f]{12,16}\b/g, '<id>'],
  // One in a hundred is shorter than most.
  [/\b\d{15,20}\b/g, '<id>'],
  [/ +<id>/g, ' <id>'],
  // Columns are as wide as the widest value; one id in sixteen has a digit less, and the title stands in the middle.
  [/\| +ID +\|/g, '| ID |'],
  [/ +(?=[|,])/g, ' '],
  [/-{3,}/g, '---'],
  [/(already|remaining)\((\d+)s\)/g, '$1(<time>)'],
];

export function normalise(text: string): string {
  const normal = NORMAL.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), text);
  // Members are in the order of their ids.
  return normal.replace(/(?<=ETCD_INITIAL_CLUSTER=")[^"]*/g, (members) =>
    members.split(',').sort().join(','),
  );
}

/** Runs etcdctl and writes down what it said, so that two stores can be compared by what their users see. */
export class Transcript {
  readonly #etcdctl: Etcdctl;

  /**
   * @param commands each with its answer
   * @param surprises commands that ended otherwise than was expected
   */
  constructor(
    readonly urls: readonly string[],
    readonly commands: string[] = [],
    readonly surprises: string[] = [],
  ) {
    this.#etcdctl = new Etcdctl(urls);
  }

  /** The same user, of one member. */
  at(url: string): Transcript {
    return new Transcript([url], this.commands, this.surprises);
  }

  /** It ends well. Resolves with what it printed, as it was. */
  async run(args: readonly string[], input?: string): Promise<string> {
    const result = await this.#run(args, input);
    if (result.code !== 0) this.#surprise(args, result);
    return result.stdout;
  }

  /** The same, once the store lets it: until then it is tried again. */
  async runEventually(args: readonly string[]): Promise<string> {
    const deadline = Date.now() + EVENTUALLY_MS_MAX;
    let result = await this.#etcdctl.run(args);
    while (result.code !== 0 && Date.now() < deadline) {
      await sleep(TRY_AGAIN_MS);
      result = await this.#etcdctl.run(args);
    }
    this.#record(args, result);
    if (result.code !== 0) this.#surprise(args, result);
    return result.stdout;
  }

  /**
   * Ends with the member out of the cluster, whatever it takes and prints: a busy store may run out of time over a removal that
   * it carries out all the same.
   */
  async removeEventually(id: string): Promise<void> {
    const args = ['member', 'remove', id];
    const deadline = Date.now() + EVENTUALLY_MS_MAX;
    for (;;) {
      const result = await this.#etcdctl.run(args);
      if (result.code === 0 || result.stderr.includes('member not found')) return;
      if (Date.now() > deadline) return this.#surprise(args, result);
      await sleep(TRY_AGAIN_MS);
    }
  }

  /** It ends with an error. */
  async fail(args: readonly string[], input?: string): Promise<void> {
    const result = await this.#run(args, input);
    if (result.code === 0) this.#surprise(args, result);
  }

  /** It ends well, and only that is compared: what it prints depends on when it runs, or on the store. */
  async runUnseen(args: readonly string[]): Promise<CommandResult> {
    const result = await this.#etcdctl.run(args);
    if (result.code !== 0) this.#surprise(args, result);
    return result;
  }

  follow(args: readonly string[]): Following {
    return this.#etcdctl.follow(args);
  }

  /** What one that went on has printed until it was stopped. */
  async stop(name: string, following: Following): Promise<void> {
    this.note(`# ${name}`, await following.stop());
  }

  note(...texts: readonly string[]): void {
    this.commands.push(normalise(texts.join('\n')));
  }

  async #run(args: readonly string[], input?: string): Promise<CommandResult> {
    const result = await this.#etcdctl.run(args, input);
    this.#record(args, result);
    return result;
  }

  #record(args: readonly string[], { code, stdout, stderr }: CommandResult): void {
    this.note(`$ etcdctl ${args.join(' ')}`, `ends with ${code}`, stdout + stderr);
  }

  #surprise(args: readonly string[], { code, stdout, stderr }: CommandResult): void {
    this.surprises.push(`${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
  }
}
