/** Takes requests through the chain: what Fastify calls for each of them, whichever port it came by. */
import type { Logger } from 'pino';
import { StatusError, toStatusError } from '../errors.js';
import { type Guarded, identify, isPreflight, type Stages } from './chain.js';
import { discardBody } from './discard-body.js';
import { sendError } from './error-answers.js';
import type { Answerable, Exchange, RawRequest, RawResponse } from './exchange.js';
import { logSampleRate, slowRequestMilliseconds } from './limits.js';
import { type OtherServer, sendNotFoundPage, serveOther } from './other-handlers.js';
import { openWatch } from './read-handlers.js';
import { resourceRequest, serveResource } from './resource-handlers.js';
import { knowsGroup, type ResourceServer } from './resource-request.js';
import { readYamlAhead, YAML_AHEAD_BYTES_MIN } from './serializers/yaml-ahead.js';
import type { WatchSource } from './watch-stream.js';

export interface CoreOptions {
  readonly stages: Stages;
  readonly resources: ResourceServer;
  readonly others: OtherServer;
  readonly logger: Logger;
}

const noBody = Buffer.alloc(0);

export class Core {
  #inFlight = 0;
  #served = 0;

  constructor(private readonly options: CoreOptions) {}

  /** Requests that were accepted and not yet answered; watches do not count. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The stages before the body. Undefined: the request has been answered. */
  async admit(request: RawRequest, response: RawResponse): Promise<Exchange | undefined> {
    const guarded: Guarded = { request, response, warnings: [], cors: undefined };
    try {
      const cors = this.options.stages.guard(request);
      const allowed = cors === undefined ? guarded : { ...guarded, cors };
      if (isPreflight(allowed)) {
        discardBody(request);
        response.writeHead(204, { ...cors });
        response.end();
        return undefined;
      }
      return await identify(this.options.stages, allowed);
    } catch (error) {
      await this.fail(guarded, error);
      return undefined;
    }
  }

  /** The stages from the body on. Never rejects. */
  async serve(exchange: Exchange, body: Buffer | undefined): Promise<void> {
    const start = performance.now();
    this.#inFlight++;
    // Of a GET, whose body nobody asked for.
    if (body === undefined) discardBody(exchange.request);
    try {
      await this.#dispatch(exchange, body ?? noBody);
    } catch (error) {
      await this.fail(exchange, error);
    }
    this.#inFlight--;
    this.#log(exchange, performance.now() - start);
  }

  #dispatch(exchange: Exchange, body: Buffer): Promise<void> | undefined {
    // Only YAML has anything to be read ahead, and only where it is long.
    if (body.length > YAML_AHEAD_BYTES_MIN && /yaml/i.test(exchange.request.headers['content-type'] ?? '')) {
      return readYamlAhead(body).then(() => this.#serveRead(exchange, body));
    }
    return this.#serveRead(exchange, body);
  }

  #serveRead(exchange: Exchange, body: Buffer): Promise<void> | undefined {
    const { resources, others } = this.options;
    const { info } = exchange;
    if (!info.isResourceRequest) return serveOther(others, exchange);
    const { table } = resources;
    if (table.find(info.group, info.version, info.resource) === undefined && !knowsGroup(table, info.group)) {
      return sendNotFoundPage(exchange);
    }
    return serveResource(resources, exchange, body);
  }

  /** What the web socket of a watch will be given, found before it is accepted. Throws StatusError. */
  openSocketWatch(exchange: Exchange): Promise<WatchSource> {
    return openWatch(resourceRequest(this.options.resources, exchange, noBody));
  }

  /** Answers with what went wrong. Never rejects. */
  async fail(exchange: Answerable, error: unknown): Promise<void> {
    const { logger } = this.options;
    const status = toStatusError(error);
    if (!(error instanceof StatusError) && status.reason === 'InternalError') {
      logger.error(
        { err: error, method: exchange.request.method, url: exchange.request.url },
        'request failed',
      );
    }
    const { request, response } = exchange;
    discardBody(request);
    // Half an answer cannot be taken back, only cut off, so that the client does not take it for a whole one.
    if (response.headersSent) response.destroy();
    else if (!response.destroyed) {
      await Promise.resolve(sendError(exchange, status)).catch((problem: unknown) => {
        logger.debug({ err: problem }, 'an error could not be answered');
        response.destroy();
      });
    }
  }

  /** Slow and failed requests, and one in many of the others: a line for each would cost as much as the request. */
  #log({ request, response, info, user }: Exchange, milliseconds: number): void {
    const failed = response.statusCode >= 500;
    const slow = milliseconds > slowRequestMilliseconds && info.verb !== 'watch';
    const sampled = ++this.#served % logSampleRate === 0;
    if (!failed && !slow && !sampled) return;
    const { logger } = this.options;
    const line = {
      verb: info.verb,
      url: request.url,
      status: response.statusCode,
      user: user.username,
      milliseconds: Math.round(milliseconds),
    };
    if (failed || slow) logger.warn(line, failed ? 'request failed' : 'slow request');
    else logger.debug(line, 'one of many requests');
  }
}
