/** What a trace says of messages and configurations: short, and the same everywhere. */
import type { Configuration, ConfigurationChange } from '../../raft/core/configuration.js';
import type { Message } from '../../raft/core/messages.js';
import { numberOf } from './ids.js';

export function describeMessage(message: Message): string {
  const { from, type, term } = message;
  return `${type} from ${numberOf(from)}, term ${term}${details(message)}`;
}

function details(message: Message): string {
  switch (message.type) {
    case 'append': {
      const { previousIndex, previousTerm, entries, commit } = message;
      const terms = [...new Set(entries.map((entry) => entry.term))].join();
      const what = entries.length === 0 ? 'nothing' : `${entries.length} of term ${terms}`;
      return `: ${what} after ${previousIndex}/${previousTerm}, committed ${commit}`;
    }
    case 'append-response':
      return message.hint === undefined
        ? `: has ${message.index}`
        : `: refuses after ${message.index}, see ${message.hint.index}/${message.hint.term}`;
    case 'heartbeat':
      return `: committed ${message.commit}, round ${message.round}`;
    case 'heartbeat-response':
      return `: round ${message.round}`;
    case 'commit':
      return `: ${message.commit}`;
    case 'vote':
      return `: ${message.preVote ? 'pre-vote, ' : ''}log ends at ${message.lastIndex}/${message.lastTerm}${message.transfer ? ', handed over' : ''}`;
    case 'vote-response':
      return `: ${message.preVote ? 'pre-vote ' : ''}${message.granted ? 'granted' : 'refused'}`;
    case 'propose':
      return `: ${message.proposals.map(({ requestId }) => requestId.counter).join()}`;
    case 'proposal-refused':
      return `: ${message.requestIds.map(({ counter }) => counter).join()}, ${message.reason}`;
    case 'read':
      return `: question ${message.id}`;
    case 'read-response':
      return `: question ${message.id}, index ${message.index}`;
    default:
      return '';
  }
}

/** As `1 2 3`, `1 2 3 ← 1 2` while joint, `1 2 +4` with a learner. */
export function describeConfiguration({ voters, outgoing, learners }: Configuration): string {
  const joint = outgoing.length === 0 ? '' : ` ← ${outgoing.map(numberOf).join(' ')}`;
  const learning = learners.map((id) => ` +${numberOf(id)}`).join('');
  return `${voters.map(numberOf).join(' ')}${joint}${learning}`;
}

export function describeChange(change: ConfigurationChange): string {
  if (change.type !== 'add') return `${change.type} ${numberOf(change.id)}`;
  return `add ${numberOf(change.member.id)}${change.learner ? ' as learner' : ''}`;
}
