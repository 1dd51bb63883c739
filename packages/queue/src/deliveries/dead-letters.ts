import { deliveryId, parseDeliveryId } from '@clickrelay/core';
import { listDestinations, readDestination } from '../destinations/destinations.ts';
import { isJobElsewhere, isJobGone } from '../jobs/bullmq-codes.ts';
import { failedKey, jobKey } from '../jobs/keys.ts';
import type { DeadLetterKind } from '../jobs/outcome.ts';
import { forgetStalls, readDeadKinds } from '../jobs/read-jobs.ts';
import { STATE_LETTERS, STATE_LUA } from '../log/delivery-states.ts';
import type { Page } from '../log/list-events.ts';
import { readEvent, readRoutes } from '../log/read-event.ts';
import { destinationQueue, eventKeys } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import { addJobs, type Store } from '../redis/store.ts';
import { type DeliveryJob, readDelivery, replayOf } from './deliveries.ts';
import { markReplayed, unmarkReplayed } from './replay-outcomes.ts';

/** A delivery that ended without success. Kept until someone replays or removes it. */
export interface DeadLetter {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly destinationId: string;
  readonly eventType: string;
  readonly kind: DeadLetterKind;
  readonly error: string;
  /** Of the last attempt; null when nothing is known of it any more. */
  readonly errorCode: string | null;
  /** What the destination answered to the last attempt; null when it did not, or nothing is known any more. */
  readonly status: number | null;
  /** When its callback came; null when the event is gone. */
  readonly receivedAt: string | null;
  readonly failedAt: string;
  readonly attempts: number;
}

export interface ListDeadLettersOptions {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly destinationId?: string | undefined;
  readonly kind?: DeadLetterKind | undefined;
}

interface Failed {
  readonly destinationId: string;
  readonly eventId: string;
  readonly failedAtMs: number;
}

interface FailedOfKind extends Failed {
  readonly kind: DeadLetterKind;
}

const encodeCursor = ({ failedAtMs, destinationId, eventId }: Failed): string =>
  `${failedAtMs}.${deliveryId(eventId, destinationId)}`;

const decodeCursor = (cursor: string | undefined): Failed | undefined => {
  const match = /^(\d{1,15})\.(.+)$/.exec(cursor ?? '');
  const parsed = parseDeliveryId(match?.[2] ?? '');
  return match && parsed ? { failedAtMs: Number(match[1]), ...parsed } : undefined;
};

/** Newest first; ties by destination, and within one as Redis has them: the largest id first. */
const compare = (a: Failed, b: Failed): number =>
  b.failedAtMs - a.failedAtMs ||
  (a.destinationId < b.destinationId ? -1 : a.destinationId > b.destinationId ? 1 : a.eventId > b.eventId ? -1 : 1);

export const listDeadLetters = async (store: Store, options: ListDeadLettersOptions): Promise<Page<DeadLetter>> => {
  const { limit } = options;
  const destinationIds = options.destinationId
    ? [options.destinationId]
    : (await listDestinations(store)).map(({ id }) => id);
  const after = decodeCursor(options.cursor);
  const found: FailedOfKind[] = [];
  for (const destinationId of destinationIds) {
    // BullMQ's failed set is scored with the time of failure. Ties at the cursor are read again and skipped.
    const key = failedKey(destinationQueue(destinationId));
    const newest = after?.failedAtMs ?? '+inf';
    for (let count = limit + 100; ; count *= 4) {
      const members = await store.redis.zrevrangebyscore(key, newest, '-inf', 'LIMIT', 0, count);
      const scores = members.length === 0 ? [] : await store.redis.zmscore(key, ...members);
      const further = members
        .map((eventId, index) => ({ destinationId, eventId, failedAtMs: Number(scores[index] ?? 0) }))
        .filter((failed) => after === undefined || compare(after, failed) < 0);
      const kinds = await readKinds(store, further);
      const wanted = further
        .map((failed, index) => ({ ...failed, kind: kinds[index] as DeadLetterKind }))
        .filter(({ kind }) => (options.kind ?? kind) === kind);
      if (wanted.length <= limit && members.length === count) continue;
      found.push(...wanted);
      break;
    }
  }
  const page = found.sort(compare).slice(0, limit + 1);
  const items = await Promise.all(page.slice(0, limit).map((failed) => describe(store, failed)));
  const last = page[limit - 1];
  return { items, next: page.length > limit && last ? encodeCursor(last) : null };
};

/** Why each of them is a dead letter. */
export const readKinds = async (
  store: Store,
  failed: readonly Pick<Failed, 'destinationId' | 'eventId'>[],
): Promise<DeadLetterKind[]> =>
  readDeadKinds(
    store,
    failed.map(({ destinationId, eventId }) => ({ queue: destinationQueue(destinationId), jobId: eventId })),
  );

const describe = async (
  store: Store,
  { destinationId, eventId, failedAtMs, kind }: FailedOfKind,
): Promise<DeadLetter> => {
  const id = deliveryId(eventId, destinationId);
  const [job, delivery, logged] = await Promise.all([
    store.queue(destinationQueue(destinationId)).getJob(eventId),
    readDelivery(store, id),
    readEvent(store, eventId),
  ]);
  return {
    deliveryId: id,
    eventId,
    destinationId,
    eventType: logged?.event.type ?? 'unknown',
    kind,
    error: job?.failedReason ?? 'unknown',
    errorCode: delivery?.attempts.at(-1)?.error?.code ?? null,
    status: delivery?.attempts.at(-1)?.status ?? null,
    receivedAt: logged?.event.receivedAt ?? null,
    failedAt: new Date(failedAtMs).toISOString(),
    attempts: delivery?.attempts.length ?? 0,
  };
};

export type Replayed = 'replayed' | 'not_found' | 'already_pending';

/**
 * Sends a delivery again, whether it is a dead letter or was delivered: from the first attempt on, with the same event
 * id. One that waits for its next attempt gets it now, unless a replay of many asks: that one is on its way already.
 * @param replayId The replay of many that asks, and that is told what became of it.
 */
export const replayDelivery = async (store: Store, id: string, replayId?: string): Promise<Replayed> => {
  const parsed = parseDeliveryId(id);
  if (parsed === undefined) return 'not_found';
  const { eventId, destinationId } = parsed;
  const [delivery, destination] = await Promise.all([readDelivery(store, id), readDestination(store, destinationId)]);
  // Nobody would ever take a job of a destination that was removed.
  if (destination === undefined) return 'not_found';
  // What was routed and never queued is missing in the ledger: it is sent like one that was.
  if (delivery === undefined && !(await readRoutes(store, eventId)).includes(destinationId)) return 'not_found';
  const name = destinationQueue(destinationId);
  const job = await store.queue(name).getJob(eventId);
  const asked: Asked = { eventId, destinationId, replayId };
  if (job === undefined) {
    // Delivered, or its job was lost.
    await makeJob(store, asked);
    return 'replayed';
  }
  // Its worker died before it could write down how far it was.
  if (replayId !== undefined && replayOf(job.data) === replayId && !(await job.isFailed())) return 'replayed';
  try {
    if (replayId === undefined && (await job.isDelayed())) await job.promote();
    else if (await job.isFailed()) {
      await owe(store, asked);
      await job.updateData(jobOf(asked));
      // BullMQ counts on: what was a dead letter for having crashed its consumers would be one again at once.
      await forgetStalls(store, name, eventId);
      await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
    } else return 'already_pending';
  } catch (error) {
    if (isJobElsewhere(error)) {
      if (replayId !== undefined) await unmarkReplayed(store, { eventId, destinationId, replayId });
      return 'already_pending';
    }
    if (!isJobGone(error)) throw error;
    await makeJob(store, asked);
  }
  return 'replayed';
};

/** What is sent again, and the replay of many that asked for it, if it was one. */
interface Asked {
  readonly eventId: string;
  readonly destinationId: string;
  readonly replayId: string | undefined;
}

const jobOf = ({ replayId }: Asked): DeliveryJob => ({ r: replayId ?? 1 });

/** Written down before there is a job, as for any delivery that is owed. */
const owe = async (store: Store, { eventId, destinationId, replayId }: Asked): Promise<void> => {
  if (replayId === undefined)
    await store.redis.hset(eventKeys(eventId).deliveries, destinationId, STATE_LETTERS.pending);
  else await markReplayed(store, { eventId, destinationId, replayId }, 'sent', [destinationId, STATE_LETTERS.pending]);
};

const makeJob = async (store: Store, asked: Asked): Promise<void> => {
  await owe(store, asked);
  await addJobs(store, destinationQueue(asked.destinationId), [
    { data: jobOf(asked), options: { jobId: asked.eventId } },
  ]);
};

/** Gives a dead letter up. @returns false when there is none with this id. */
export const removeDeadLetter = async (store: Store, id: string): Promise<boolean> => {
  const parsed = parseDeliveryId(id);
  if (parsed === undefined) return false;
  const job = await store.queue(destinationQueue(parsed.destinationId)).getJob(parsed.eventId);
  if (job === undefined || !(await job.isFailed())) return false;
  // The mark first: with the job gone nobody could ask again, and the event would be kept for a delivery that is no more.
  const { deliveries } = eventKeys(parsed.eventId);
  const isMarked = await runScript(store.redis, GIVE_UP, [deliveries], [parsed.destinationId]);
  if (isMarked === 0) return false;
  const name = destinationQueue(parsed.destinationId);
  const keys = [failedKey(name), jobKey(name, parsed.eventId)];
  const isRemoved = await runScript(store.redis, REMOVE_DEAD_JOB, keys, [parsed.eventId]);
  // Sent again by somebody in between: it is owed after all.
  if (isRemoved === 0) await runScript(store.redis, OWE_AFTER_ALL, [deliveries], [parsed.destinationId]);
  return isRemoved === 1;
};

/* KEYS: deliveries. ARGV: destination. Returns 0 when somebody sent it again and it is delivered by now. */
const GIVE_UP: Script = {
  name: 'giveUpDelivery',
  lua: `${STATE_LUA}
if redis.call('HGET', KEYS[1], ARGV[1]) == STATE.delivered then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], STATE.given_up)
return 1`,
};

/*
 * Removes the job of a dead letter, which has nothing beside its hash and its place among the failed.
 *
 * KEYS: failed, job. ARGV: id. Returns 0 when the job is in another state, -1 when it is gone.
 */
const REMOVE_DEAD_JOB: Script = {
  name: 'removeDeadJob',
  lua: `
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return redis.call('EXISTS', KEYS[2]) - 1 end
redis.call('DEL', KEYS[2])
return 1`,
};

/* KEYS: deliveries. ARGV: destination. */
const OWE_AFTER_ALL: Script = {
  name: 'oweAfterAll',
  lua: `${STATE_LUA}
if redis.call('HGET', KEYS[1], ARGV[1]) == STATE.given_up then redis.call('HSET', KEYS[1], ARGV[1], STATE.pending) end`,
};
