import { listDestinations } from '../destinations/destinations.ts';
import type { Store } from '../redis/store.ts';
import { chooseDeadLetters } from './choose-dead-letters.ts';
import { chooseDelivered } from './choose-delivered.ts';
import { chooseNamed } from './choose-named.ts';
import type { DeliverySelection } from './delivery-selection.ts';
import type { ChooseOptions, Chosen } from './gather-chosen.ts';

/**
 * Batches of what a selection chooses, oldest first. What is chosen may leave the lists meanwhile; what comes in after
 * `until` is not chosen.
 * @throws {InvalidFilterError}
 */
export async function* chooseDeliveries(
  store: Store,
  selection: DeliverySelection,
  options: ChooseOptions = {},
): AsyncGenerator<Chosen> {
  const { state, deliveries, destinationId } = selection;
  const present = (await listDestinations(store)).map(({ id }) => id);
  if (deliveries !== undefined) {
    yield* chooseNamed(store, selection, deliveries, new Set(present), options);
    return;
  }
  const destinationIds = destinationId === undefined ? present : present.filter((id) => id === destinationId);
  const choose = state === 'delivered' ? chooseDelivered : chooseDeadLetters;
  yield* choose(store, selection, destinationIds, options);
}
