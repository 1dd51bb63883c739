import { removeDeadLetter } from '../deliveries/remove-dead-letter.ts';
import type { Store } from '../redis/store.ts';
import { chooseDeliveries } from './choose-deliveries.ts';
import type { DeliverySelection } from './delivery-selection.ts';

/** How many are given up between two looks at the clock. */
const AT_ONCE = 100;

/**
 * Gives up, for good, the dead letters that a selection chooses: the oldest first, those whose event is gone included,
 * and as many as time allows. Call it again to go on with the others.
 * @param onRemoved Called for each that was given up, so the caller knows how far it came when the rest fails.
 * @returns How many were looked at, those included that somebody else sent again or gave up in between.
 */
export const removeDeadLetters = async (
  store: Store,
  selection: Omit<DeliverySelection, 'state'>,
  { maxMs, onRemoved }: { readonly maxMs: number; readonly onRemoved: () => void },
): Promise<number> => {
  const overAt = performance.now() + maxMs;
  let seen = 0;
  const options = { takesGone: true, batch: AT_ONCE };
  for await (const { ids } of chooseDeliveries(store, { ...selection, state: 'dead_letter' }, options)) {
    await Promise.all(
      ids.map(async (id) => {
        if (await removeDeadLetter(store, id)) onRemoved();
      }),
    );
    seen += ids.length;
    if (performance.now() >= overAt) break;
  }
  return seen;
};
