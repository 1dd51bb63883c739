import type { DestinationFacts } from '../facts.ts';
import { whenKnown } from '../known.ts';
import type { Rule, Sighting } from '../rule.ts';

/** Of one destination: what is seen, why nobody can tell, or nothing. */
export type Seen = Omit<Sighting, 'id'> | { readonly unknown: string } | undefined;

/** A rule about each destination by itself. */
export const ofDestinations = (
  rule: Omit<Rule, 'kind' | 'look'>,
  look: (destination: DestinationFacts, nowMs: number) => Seen,
): Rule => ({
  ...rule,
  kind: 'destination',
  look: ({ destinations }, nowMs) =>
    whenKnown(destinations, (all) =>
      all.flatMap((destination) => {
        const seen = look(destination, nowMs);
        return seen === undefined ? [] : [{ id: destination.id, ...seen }];
      }),
    ),
});
