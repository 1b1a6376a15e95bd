/** Runs stories: each with a server that it shares with others, in a namespace, a folder and a kubeconfig of its own. */
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { ClientUser } from '../tools/client-user.js';
import type { Following } from '../tools/following.js';
import type { Client } from '../tools/kubectl.js';
import { startWherry, temporaryFolder, type Wherry } from '../tools/wherry.js';

/** Of those of one server; starting kubectl costs 100 ms of processor. */
const storiesAtATime = 4;

export class StoryUser extends ClientUser {
  constructor(
    t: Test,
    client: Client,
    readonly server: Wherry,
    readonly namespace: string,
    folder: string,
    env: Record<string, string>,
    /** Of the clients that there are. */
    readonly newest: boolean,
  ) {
    super(t, client, folder, env);
  }

  /** How kubectl ends its line on an object of the namespace that is gone: 1.35 says from where. */
  get deleted(): string {
    return `deleted«1.35: from ${this.namespace} namespace»`;
  }

  /** Starts a kubectl that watches, and waits until it does: it tells of its requests on the error stream. */
  async watching(command: string): Promise<Following> {
    const following = this.follow(`${command} -v=7`);
    await following.until(/watch=true/);
    return following;
  }

  /** Writes a script for KUBE_EDITOR; gives back its path. */
  async editor(name: string, script: string): Promise<string> {
    return join(this.folder, await this.file(name, `#!/bin/sh\n${script}\n`, 0o755));
  }

  /** For what the client has no command for. */
  async send(method: string, path: string, body?: object, contentType = 'application/json'): Promise<object> {
    const response = await fetch(this.server.url + path, {
      method,
      headers: { 'content-type': contentType },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as object;
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }
}

/** Told in a namespace called like its key. */
export type Story = (user: StoryUser) => Promise<void>;
export type Stories = Readonly<Record<string, Story>>;

/**
 * The newest client goes through all stories. Older ones print the same of nearly all and ask the server for the same:
 * they go through those of `older`, by key, where there are any.
 */
export function tell(
  t: Test,
  clients: readonly Client[],
  stories: Stories,
  older: readonly string[] = Object.keys(stories),
): void {
  for (const client of clients) {
    const newest = client === clients.at(-1);
    const unknown = older.filter((namespace) => stories[namespace] === undefined);
    if (unknown.length > 0) throw new Error(`no such stories: ${unknown.join(', ')}`);
    const own = Object.entries(stories).filter(([namespace]) => newest || older.includes(namespace));
    t.test(`${client.program} ${client.version}`, { timeout: 240_000 }, async (t) => {
      const server = await startWherry();
      const home = await temporaryFolder('home');
      t.teardown(async () => {
        await server.stop();
        await rm(home, { recursive: true, force: true });
      });
      // Clients take their name from how they are called, and it is the name of who manages fields.
      const path = join(home, client.program);
      await symlink(client.path, path);
      t.jobs = storiesAtATime;
      const told = own.map(([namespace, story]) =>
        t.test(namespace, { buffered: true }, async (t) => {
          await story(await userOf(t, { ...client, path }, server, home, namespace, newest));
        }),
      );
      await Promise.all(told);
    });
  }
}

async function userOf(
  t: Test,
  client: Client,
  server: Wherry,
  home: string,
  namespace: string,
  newest: boolean,
): Promise<StoryUser> {
  const folder = join(home, namespace);
  await mkdir(folder);
  const kubeconfig = join(home, `${namespace}.kubeconfig`);
  const shared = await readFile(server.kubeconfig, 'utf8');
  await writeFile(
    kubeconfig,
    shared.replace('    context:\n', `    context:\n      namespace: ${namespace}\n`),
  );
  // The discovery cache is shared.
  const env = { KUBECONFIG: kubeconfig, HOME: home };
  const user = new StoryUser(t, client, server, namespace, folder, env, newest);
  await user.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  for (const made of ['serviceaccounts/default', 'configmaps/kube-root-ca.crt']) {
    const url = `${server.url}/api/v1/namespaces/${namespace}/${made}`;
    while (!(await fetch(url)).ok) await sleep(5);
  }
  return user;
}
