import { all, decisions, replace, type PlantedBug, type RaftDecisions } from './patch.js';
import { lostLeaders, manyElections } from './surroundings.js';

export const readBugs: readonly PlantedBug[] = [
  {
    name: 'reads without asking whether it still leads',
    rule: 'a read waits for a round of confirmation (dissertation §6.4)',
    plant: () => replace(decisions, 'confirmedRound', () => () => Infinity),
    surroundings: lostLeaders,
  },
  {
    name: 'reads before it has committed anything in its term',
    rule: 'a new leader does not know what is committed before that (dissertation §6.4)',
    plant: () => trustWhile('question'),
    surroundings: manyElections,
  },
];

/** Within this decision the leader believes that it has committed something in its term. */
export function trustWhile(name: 'question' | 'mayChangeConfiguration'): () => void {
  const trusting = new WeakSet<RaftDecisions>();
  const within = <A extends unknown[], R>(decide: (this: RaftDecisions, ...args: A) => R) =>
    function (this: RaftDecisions, ...args: A): R {
      trusting.add(this);
      const decided = decide.apply(this, args);
      trusting.delete(this);
      return decided;
    };
  const planted =
    name === 'question'
      ? replace(decisions, 'question', (question) => within(question))
      : replace(decisions, 'mayChangeConfiguration', (may) => within(may));
  return all(
    planted,
    replace(
      decisions,
      'hasCommittedInTerm',
      (has) =>
        function () {
          return trusting.has(this) || has.call(this);
        },
    ),
  );
}
