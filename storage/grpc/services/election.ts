import type { ElectionService } from '../../server/api.js';
import { serverStream, unary, type Route } from '../server/handlers.js';
import { Election } from '../services.js';

/** Calls that wait: the context's signal ends them. */
export function electionRoutes(election: ElectionService): Route[] {
  return [
    unary(Election.Campaign, (request, context) => election.campaign(request, context)),
    unary(Election.Proclaim, (request, context) =>
      election.proclaim({ leader: request.leader, value: request.value }, context),
    ),
    unary(Election.Leader, (request, context) => election.leader(request, context)),
    serverStream(Election.Observe, (request, context) => election.observe(request, context)),
    unary(Election.Resign, (request, context) => election.resign({ leader: request.leader }, context)),
  ];
}
