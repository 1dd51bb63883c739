import { activeKey, delayedKey, prioritizedKey, waitKey } from '../jobs/keys.ts';
import type { Page } from '../log/list-events.ts';
import { destinationQueue } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import type { Delivery } from './deliveries.ts';
import { listDeliveriesOf } from './deliveries.ts';

/*
 * What a destination is still to get, in the order in which it will be tried: under way, waiting, and waiting for another
 * attempt, the next one first. A place is a number in one of BullMQ's lists: what moves on between two pages shifts the
 * others, so a list that is read in full may miss or repeat some.
 */

const SECTIONS = ['active', 'wait', 'prioritized', 'delayed'] as const;
const CURSOR = /^(\d)\.(\d{1,9})$/;

export const listUndelivered = async (
  store: Store,
  { destinationId, limit, cursor }: { destinationId: string; limit: number; cursor?: string | undefined },
): Promise<Page<Delivery>> => {
  const queue = destinationQueue(destinationId);
  const { redis } = store;
  const keys = {
    active: activeKey(queue),
    wait: waitKey(queue),
    prioritized: prioritizedKey(queue),
    delayed: delayedKey(queue),
  };
  const read = {
    // Both are taken from their right end.
    active: async (from: number, count: number) =>
      (await redis.lrange(keys.active, -from - count, -from - 1)).reverse(),
    wait: async (from: number, count: number) => (await redis.lrange(keys.wait, -from - count, -from - 1)).reverse(),
    prioritized: (from: number, count: number) =>
      redis.zrange(keys.prioritized, String(from), String(from + count - 1)),
    delayed: (from: number, count: number) => redis.zrange(keys.delayed, String(from), String(from + count - 1)),
  };
  const [, sectionText = '0', fromText = '0'] = CURSOR.exec(cursor ?? '') ?? [];
  const ids: string[] = [];
  let section = Number(sectionText);
  let from = Number(fromText);
  while (section < SECTIONS.length && ids.length < limit) {
    const count = limit - ids.length;
    const some = await read[SECTIONS[section] as (typeof SECTIONS)[number]](from, count);
    ids.push(...some);
    from += some.length;
    if (some.length === count) break;
    section++;
    from = 0;
  }
  const all = await listDeliveriesOf(store, ids);
  const items = all.map((deliveries) => deliveries.find((one) => one.destinationId === destinationId));
  return {
    items: items.filter((one) => one !== undefined),
    next: section >= SECTIONS.length || ids.length < limit ? null : `${section}.${from}`,
  };
};
