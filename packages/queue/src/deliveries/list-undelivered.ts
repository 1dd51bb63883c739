import { type JobPlace, listJobs } from '../jobs/list-jobs.ts';
import { destinationQueue } from '../redis/names.ts';
import { defineCursor, type Page } from '../redis/page.ts';
import type { Store } from '../redis/store.ts';
import { describeDeliveries, type ListedDelivery } from './list-deliveries.ts';
import { listDeliveriesOf } from './read-deliveries.ts';

/*
 * What a destination is still to get, in the order in which it will be tried: under way, waiting, and waiting for
 * another attempt, the next one first. The cursor counts jobs in one of these places: what moves on between two pages
 * shifts the others, so a list that is read in full may miss or repeat some.
 */

const PLACES: readonly JobPlace[] = ['active', 'waiting', 'second', 'delayed'];
const CURSOR = defineCursor({ place: /\d/, from: /\d{1,9}/ });

export const listUndelivered = async (
  store: Store,
  { destinationId, limit, cursor }: { destinationId: string; limit: number; cursor?: string | undefined },
): Promise<Page<ListedDelivery>> => {
  const queue = destinationQueue(destinationId);
  const begin = CURSOR.read(cursor);
  const ids: string[] = [];
  let at = Number(begin?.place ?? 0);
  let from = Number(begin?.from ?? 0);
  for (let place = PLACES[at]; place !== undefined && ids.length < limit; place = PLACES[at]) {
    const count = limit - ids.length;
    const some = await listJobs(store, queue, place, { from, count });
    ids.push(...some);
    from += some.length;
    if (some.length === count) break;
    at++;
    from = 0;
  }
  const all = await listDeliveriesOf(store, ids);
  const found = all.flatMap((deliveries) => deliveries.find((one) => one.destinationId === destinationId) ?? []);
  return {
    items: await describeDeliveries(store, found),
    next: at >= PLACES.length || ids.length < limit ? null : CURSOR.write({ place: at, from }),
  };
};
