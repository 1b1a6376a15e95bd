/** A client that sends all its requests before it reads an answer. */
import type { Socket } from 'node:net';

export interface PipelinedAnswer {
  readonly status: number;
  readonly body: string;
}

/** Answers to GETs of `paths` over one HTTP/1.1 connection, which ends with them, in the order they came. */
export async function pipelined(socket: Socket, paths: readonly string[]): Promise<PipelinedAnswer[]> {
  const requests = paths.map((path, index) => {
    const last = index === paths.length - 1 ? 'Connection: close\r\n' : '';
    return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${last}\r\n`;
  });
  socket.write(requests.join(''));
  let text = '';
  for await (const bytes of socket) text += String(bytes);
  const parts = text.split(/HTTP\/1\.1 (\d+) .*\r\n(?:.+\r\n)*\r\n/);
  // What is no answer, and then status and body of each.
  const answers: PipelinedAnswer[] = parts[0] === '' ? [] : [{ status: 0, body: parts[0] ?? '' }];
  for (let at = 1; at < parts.length; at += 2)
    answers.push({ status: Number(parts[at]), body: parts[at + 1] ?? '' });
  return answers;
}
