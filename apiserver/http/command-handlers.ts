/** Subresources that are commands: created in a kind of their own, and never read back. */
import { answerTokenRequest } from '../auth/token-request.js';
import type { KubeObject, Subresource } from '../../schemas/definition.js';
import { internal, methodNotAllowed } from '../errors.js';
import { budgetsOf } from '../registry/disruption-budgets.js';
import { evictPod } from '../registry/eviction.js';
import { bindPod } from '../registry/subresources.js';
import { bodyDecoder, type Expected, mustBeReadable, expectedOf, expectedOfSchema } from './body.js';
import { acceptedShape, plainBody } from './representation.js';
import type { ResourceRequest } from './resource-request.js';
import { send } from './respond.js';
import { matchNamespace } from './write-handlers.js';
import { checkDeleteOptions, type DeleteOptionsBody, parseWriteOptions } from './write-options.js';

type Handler = (request: ResourceRequest) => Promise<void>;

/** The kind of a subresource's bodies. */
export function bodyOf(subresource: Subresource, { definition }: ResourceRequest) {
  const kind = subresource.kind ?? definition;
  const schema = subresource.schema ?? definition.schema;
  const expected: Expected =
    subresource.kind === undefined ? expectedOf(definition) : expectedOfSchema(kind, schema);
  return { expected, target: { group: kind.group, version: kind.version, kind: kind.kind, schema } };
}

interface Command {
  readonly object: KubeObject;
  readonly dryRun: boolean;
  readonly fieldManager?: string;
}

/** The command of a body. Throws StatusError. */
function decodeCommand(request: ResourceRequest, expected: Expected): Command {
  const { exchange, body, namespace, server } = request;
  acceptedShape(exchange, expected);
  mustBeReadable(exchange);
  const { fieldValidation, ...options } = parseWriteOptions(exchange.query, 'CreateOptions');
  const object = bodyDecoder(exchange, body, expected, fieldValidation, server.table)();
  matchNamespace(object, namespace);
  return { object, ...options };
}

/** The command of a subresource, once admission has let it pass. Throws StatusError. */
async function admitCommand(request: ResourceRequest): Promise<Command> {
  const { exchange, registry, namespace, name, subresource } = request;
  if (subresource === undefined) throw methodNotAllowed();
  const command = decodeCommand(request, bodyOf(subresource, request).expected);
  subresource.strategy?.defaults?.(command.object);
  await registry.admit(exchange, { subresource: subresource.name, namespace, name, ...command });
  return command;
}

const done = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

const createBinding: Handler = async (request) => {
  const { exchange, registry, namespace, name } = request;
  const { object, dryRun } = await admitCommand(request);
  await bindPod(registry, exchange, namespace, name, object, { dryRun, now: Date.now() });
  await send(exchange, 201, plainBody(exchange, done));
};

/** `bindings`: the same with the pod's name in the body. Its own registry stores nothing, that of pods does. */
export const createBindingByBody: Handler = async (request) => {
  const { exchange, definition, namespace, server } = request;
  const command = decodeCommand(request, expectedOf(definition));
  const { object, dryRun } = command;
  const pods = server.table.find('', 'v1', 'pods');
  if (pods === undefined) throw methodNotAllowed();
  const { name = '' } = object.metadata;
  await pods.admit(exchange, { subresource: 'binding', namespace, name, ...command });
  await bindPod(pods, exchange, namespace, name, object, { dryRun, now: Date.now() });
  await send(exchange, 201, plainBody(exchange, done));
};

const createEviction: Handler = async (request) => {
  const { exchange, registry, namespace, name, server } = request;
  const budgets = server.table.find('policy', 'v1', 'poddisruptionbudgets');
  if (budgets === undefined) throw methodNotAllowed();
  const { object } = await admitCommand(request);
  const given = (object['deleteOptions'] ?? {}) as DeleteOptionsBody;
  const dryRun = dryRunOf(given.dryRun ?? [], exchange.query.getAll('dryRun'));
  const options = checkDeleteOptions({ ...given, dryRun });
  const mayDisrupt = budgetsOf(budgets);
  await evictPod(registry, exchange, namespace, name, object, { ...options, now: Date.now(), mayDisrupt });
  await send(exchange, 201, plainBody(exchange, done));
};

/** A dry run may be asked for in the body and in the query, but not in two ways. */
function dryRunOf(body: readonly string[], query: readonly string[]): readonly string[] {
  if (body.length === 0 || query.length === 0) return [...body, ...query];
  if (body.length === query.length && body.every((value, i) => value === query[i])) return body;
  const shown = `[${query.join(' ')}] and [${body.join(' ')}]`;
  throw internal(`Non-matching dry-run options in request and content: ${shown}`);
}

const createToken: Handler = async (request) => {
  const { exchange, server, namespace, name } = request;
  const { object } = await admitCommand(request);
  const target = { registries: server, tokens: server.tokens, context: exchange, namespace, name };
  await send(exchange, 201, plainBody(exchange, await answerTokenRequest(target, object)));
};

/** By `group/plural/subresource`. */
export const commandHandlers: ReadonlyMap<string, Handler> = new Map([
  ['/pods/binding', createBinding],
  ['/pods/eviction', createEviction],
  ['/serviceaccounts/token', createToken],
]);
