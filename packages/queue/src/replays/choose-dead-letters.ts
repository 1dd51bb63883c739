import { deliveryId } from '@clickrelay/core';
import { failedKey } from '../jobs/keys.ts';
import type { DeadLetterKind } from '../jobs/outcome.ts';
import { readDeadKinds } from '../jobs/read-jobs.ts';
import { destinationQueue } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { asksForEvent, type DeliverySelection } from './delivery-selection.ts';
import { BATCH, type ChooseOptions, type Chosen, gatherChosen } from './gather-chosen.ts';
import { lookAtEvents } from './look-at-events.ts';

/** A place among the failed jobs of a destination: when it failed, in ms, and its id among those of that time. */
interface Place {
  readonly failedAtMs: number;
  readonly id: string;
}

/** Batches of the dead letters of these destinations that match, the oldest of each first. */
export async function* chooseDeadLetters(
  store: Store,
  selection: DeliverySelection,
  destinationIds: readonly string[],
  { from = '', takesGone = false, batch = BATCH }: ChooseOptions,
): AsyncGenerator<Chosen> {
  const { since = 0, until = Number.MAX_SAFE_INTEGER, kind } = selection;
  const mayBeGone = takesGone && !asksForEvent(selection);
  const [firstDestination = '', failedAt = '', lastId = ''] = from.split(' ');
  for (const destinationId of destinationIds) {
    if (destinationId < firstDestination) continue;
    const goesOn = destinationId === firstDestination && failedAt !== '';
    const begin: Place = goesOn ? { failedAtMs: Number(failedAt), id: lastId } : { failedAtMs: since, id: '' };
    for await (const { ids, last } of walkFailed(store, destinationId, { begin, until, batch })) {
      const ofKind = kind === undefined ? ids : await onlyOfKind(store, destinationId, ids, kind);
      const events = await lookAtEvents(store, ofKind, selection);
      const gathered = gatherChosen(selection);
      for (const [index, eventId] of ofKind.entries()) {
        const event = events[index];
        const id = deliveryId(eventId, destinationId);
        if (typeof event === 'number') gathered.choose(id, event);
        else if (event === 'event_gone' && mayBeGone) gathered.choose(id, undefined);
        else if (event === 'event_gone') gathered.leaveOut('event_gone');
      }
      yield gathered.done(`${destinationId} ${last.failedAtMs} ${last.id}`);
    }
  }
}

/** Ids of failed jobs, oldest first. The place is read anew each time, as what was chosen leaves the failed jobs. */
async function* walkFailed(
  store: Store,
  destinationId: string,
  { begin, until, batch }: { begin: Place; until: number; batch: number },
): AsyncGenerator<{ ids: readonly string[]; last: Place }> {
  const key = failedKey(destinationQueue(destinationId));
  let place = begin;
  for (let count = batch; ; ) {
    const flat = await store.redis.zrangebyscore(key, place.failedAtMs, `(${until}`, 'WITHSCORES', 'LIMIT', 0, count);
    const read = Array.from({ length: flat.length / 2 }, (_, index) => ({
      id: flat[2 * index] as string,
      failedAtMs: Number(flat[2 * index + 1]),
    }));
    const further = read.filter(({ id, failedAtMs }) => failedAtMs > place.failedAtMs || id > place.id);
    const last = further.at(-1);
    if (last === undefined) {
      if (read.length < count) return;
      // All of them failed in the millisecond of the place, and were chosen before: look behind them.
      count *= 4;
      continue;
    }
    yield { ids: further.map(({ id }) => id), last };
    place = last;
    count = batch;
  }
}

const onlyOfKind = async (
  store: Store,
  destinationId: string,
  ids: readonly string[],
  kind: DeadLetterKind,
): Promise<string[]> => {
  const queue = destinationQueue(destinationId);
  const kinds = await readDeadKinds(
    store,
    ids.map((jobId) => ({ queue, jobId })),
  );
  return ids.filter((_, index) => kinds[index] === kind);
};
