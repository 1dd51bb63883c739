import { failedKey, jobKey, jobKeyOfClaim } from '../jobs/keys.ts';
import { destinationQueue } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import { sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import type { FoundJob, UndecidedDelivery } from './judge-delivery.ts';

/* KEYS: failed jobs, then jobs. ARGV: event id of each job. Returns for each 0: no job, 1: a job, 2: a dead letter. */
const FIND_JOBS: Script = {
  name: 'findDeliveryJobs',
  lua: `
local found = {}
for at, id in ipairs(ARGV) do
  if redis.call('ZSCORE', KEYS[1], id) then found[at] = 2
  else found[at] = redis.call('EXISTS', KEYS[at + 1]) end
end
return found`,
};
const FOUND: readonly FoundJob[] = ['none', 'queued', 'dead_letter'];

/** @param atOnce How many one script looks for: Redis serves nobody else while it runs. */
export const findDeliveryJobs = async (
  store: Store,
  deliveries: readonly UndecidedDelivery[],
  atOnce: number,
): Promise<(delivery: UndecidedDelivery) => FoundJob> => {
  const found = new Map<UndecidedDelivery, FoundJob>();
  for (const [id, ofDestination] of Map.groupBy(deliveries, ({ destinationId }) => destinationId)) {
    const queue = destinationQueue(id);
    for (let at = 0; at < ofDestination.length; at += atOnce) {
      const some = ofDestination.slice(at, at + atOnce);
      const ids = some.map(({ eventId }) => eventId);
      const keys = [failedKey(queue), ...ids.map((eventId) => jobKey(queue, eventId))];
      const codes = await runScript<number[]>(store.redis, FIND_JOBS, keys, ids);
      for (const [index, one] of some.entries()) found.set(one, FOUND[codes[index] ?? 0] ?? 'none');
    }
  }
  return (delivery) => found.get(delivery) ?? 'none';
};

/** Whether the group of callbacks that logged an event is still under way: it comes back until it is done. */
export const findOpenGroups = async (
  store: Store,
  deliveries: readonly UndecidedDelivery[],
): Promise<(delivery: UndecidedDelivery) => boolean> => {
  const claims = [...new Set(deliveries.map(({ claim }) => claim))];
  const groups = claims.flatMap((claim) => {
    const job = jobKeyOfClaim(claim);
    return job === undefined ? [] : [{ claim, job }];
  });
  const replies = await sendAll(
    store,
    groups.map(({ job }) => ['exists', job]),
  );
  const open = new Set(groups.filter((_, index) => replies[index] === 1).map(({ claim }) => claim));
  return ({ claim }) => open.has(claim);
};
