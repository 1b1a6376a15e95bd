/** `ask`: one question in a POST, its answer in the response. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TransportLimits } from './limits.js';
import type { LogOnce } from './log-once.js';
import { ASK_PATH, STATUS, hex } from './protocol.js';
import { refuse } from './refuse.js';
import { type Exchange, describe, exchange, readBody } from './request.js';
import { type AskOptions, TransportError, type TransportHandler } from './transport.js';

type AskTarget = Omit<Exchange, 'path' | 'method' | 'send' | 'answerBytesMax' | 'timeoutMs' | 'signal'>;

export async function sendQuestion(
  target: AskTarget,
  question: Uint8Array,
  { timeoutMs, signal }: AskOptions,
  { askBytesMax }: Pick<TransportLimits, 'askBytesMax'>,
): Promise<Uint8Array> {
  if (question.length > askBytesMax)
    throw new TransportError('refused', `a question of ${question.length} bytes is too large`);
  const { status, body } = await exchange({
    ...target,
    path: ASK_PATH,
    method: 'POST',
    headers: { ...target.headers, 'content-length': question.length },
    answerBytesMax: askBytesMax,
    timeoutMs,
    signal,
    send: async (request) => void request.end(question),
  });
  if (status === STATUS.ok) return body;
  throw new TransportError('refused', `${target.url}: ${status} ${body.toString().slice(0, 200)}`);
}

export interface AnsweringOptions {
  readonly limits: Pick<TransportLimits, 'askBytesMax'>;
  readonly log: LogOnce;
  readonly handler: Pick<TransportHandler, 'answer'>;
}

/** Never rejects. The handler's signal aborts when whoever asks has gone. */
export async function answerQuestion(
  request: IncomingMessage,
  response: ServerResponse,
  from: bigint,
  { limits, log, handler }: AnsweringOptions,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const reject = (status: number, why: string) => {
    log.warn(`question of ${hex(from)}`, { peer: hex(from) }, `a question was not answered: ${why}`);
    refuse(request, response, { status, text: 'the question was not answered' });
  };
  let answer: Uint8Array;
  try {
    const question = await readBody(request, limits.askBytesMax);
    answer = await handler.answer(question, gone.signal);
  } catch (error) {
    if (!gone.signal.aborted) reject(STATUS.refused, describe(error));
    return;
  }
  if (gone.signal.aborted) return;
  if (answer.length > limits.askBytesMax) {
    reject(STATUS.refused, `its answer has ${answer.length} bytes`);
    return;
  }
  response.writeHead(STATUS.ok, { 'content-length': answer.length }).end(answer);
}
