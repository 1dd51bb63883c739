import { deliveryId } from '@clickrelay/core';
import { outcomeOfMark, replayMark } from '../deliveries/replay-outcomes.ts';
import { stateOf } from '../log/delivery-states.ts';
import { followEvents } from '../log/list-events.ts';
import { eventKeys } from '../redis/names.ts';
import { sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { type DeliverySelection, wantsOf } from './delivery-selection.ts';
import { BATCH, type ChooseOptions, type Chosen, gatherChosen } from './gather-chosen.ts';

/** Batches of what was delivered to these destinations and matches, in the order of the log. */
export async function* chooseDelivered(
  store: Store,
  selection: DeliverySelection,
  destinationIds: readonly string[],
  { from = '', replayId = '', batch = BATCH }: ChooseOptions,
): AsyncGenerator<Chosen> {
  const { since = 0, until = Number.MAX_SAFE_INTEGER } = selection;
  const wants = wantsOf(selection);
  const marks = destinationIds.map((id) => replayMark(id, replayId));
  let after = from === '' ? undefined : from;
  for (;;) {
    const { items, next, ended } = await followEvents(store, { limit: batch, after, since: new Date(since) });
    if (ended && items.length === 0) return;
    const inTime = items.filter(({ event }) => Date.parse(event.receivedAt) < until);
    const wanted = destinationIds.length === 0 ? [] : inTime.filter(wants);
    const replies = await sendAll(
      store,
      wanted.map(({ event }) => ['hmget', eventKeys(event.id).deliveries, ...destinationIds, ...marks]),
    );
    const gathered = gatherChosen(selection);
    for (const [index, { event }] of wanted.entries()) {
      const fields = replies[index] as (string | null)[];
      for (const [at, destinationId] of destinationIds.entries()) {
        const state = stateOf(fields[at]);
        const replayed = outcomeOfMark(fields[destinationIds.length + at] ?? null);
        // The worker of the replay that chooses may have died before there was a job.
        const isToBeSent = state === 'pending' && replayed === 'sent';
        if (isToBeSent || (state === 'delivered' && replayed === undefined))
          gathered.choose(deliveryId(event.id, destinationId), Date.parse(event.receivedAt));
      }
    }
    after = next;
    yield gathered.done(next);
    if (items.length > 0 && inTime.length === 0) return;
  }
}
