import { MINUTE_MS } from '@clickrelay/core';
import { type DestinationTotals, readTotals } from '../counts/destination-totals.ts';
import { attemptMs, type HourFigures, readFirstAttempts, readHours, sumHours } from '../counts/hour-figures.ts';
import { type Destination, listDestinations, listLiving, listPauses } from '../destinations/destinations.ts';
import { listTroubles } from '../destinations/holds.ts';
import { readNotes } from '../destinations/notes.ts';
import { readDeadLetterTimes, readQueueFigures } from '../jobs/read-queue-figures.ts';
import { destinationQueue } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/** First attempts and dead letters that are recent. */
const RECENT_MS = 10 * MINUTE_MS;
/** With so many attempts the present hour says enough about how long they take. */
const ENOUGH_ATTEMPTS = 20;

const attemptsOf = ({ delivered, failed }: HourFigures): number => delivered + failed;

/** The present hour, or with the one before it while it has few attempts. */
const lastHour = (hours: readonly HourFigures[]): HourFigures => {
  const present = sumHours(hours.slice(-1));
  return attemptsOf(present) >= ENOUGH_ATTEMPTS ? present : sumHours(hours);
};

/** When the last of its secrets that have an end reaches it. */
const oldSecretEndsAt = ({ config }: Destination, nowMs: number): number | null => {
  const secrets: unknown[] = [config['secret']].flat();
  const ends = secrets
    .map((secret) => (typeof secret === 'object' && secret !== null && 'until' in secret ? secret.until : null))
    .map((until) => (typeof until === 'string' ? Date.parse(until) : Number.NaN))
    .filter((at) => at > nowMs);
  return ends.length === 0 ? null : Math.max(...ends);
};

const timeoutOf = ({ config }: Destination): number | null =>
  typeof config['timeoutMs'] === 'number' ? config['timeoutMs'] : null;

/** Its last attempt, or its last ones, never left this machine. */
const isRefusedByGuard = ({ lastErrorCode, failedAt, deliveredAt }: DestinationTotals): boolean =>
  lastErrorCode === 'destination_refused' && (failedAt ?? 0) > (deliveredAt ?? 0);

/** What is known of each destination without asking it. Times in ms. */
export const readDestinationFacts = async (store: Store, nowMs: number) => {
  const destinations = await listDestinations(store);
  const ids = destinations.map(({ id }) => id);
  const queues = ids.map(destinationQueue);
  const [figures, deadLetters, living, pauses, troubles, totals, firsts, hours, notes] = await Promise.all([
    Promise.all(queues.map((queue) => readQueueFigures(store, queue))),
    readDeadLetterTimes(store, queues, nowMs - RECENT_MS),
    listLiving(store),
    listPauses(store),
    listTroubles(store, store.clock.now()),
    readTotals(store, ids),
    readFirstAttempts(store, ids, { forMs: RECENT_MS, nowMs }),
    readHours(store, ids, 2, nowMs),
    readNotes(store, ids),
  ]);
  return destinations.map((destination, index) => {
    const { id, type, paused } = destination;
    const queue = figures[index] as (typeof figures)[number];
    const dead = deadLetters[index] as (typeof deadLetters)[number];
    const total = totals[index] as DestinationTotals;
    const createdAt = living.get(id) || null;
    const createdMs = createdAt === null ? null : createdAt / 1_000;
    const attempts = lastHour(hours.get(id) ?? []);
    const trouble = troubles.get(id);
    const { askedAt = null, certificateEndsAt = null } = notes.get(id) ?? {};
    return {
      id,
      type,
      createdAt: createdMs,
      paused: paused === null ? null : (pauses.get(id) ?? { by: 'hand' as const, at: null }),
      failingSince: trouble?.reason === 'failing' ? trouble.since : null,
      lastErrorCode: total.lastErrorCode,
      throttledSince: trouble?.reason === 'throttled' ? trouble.since : null,
      waiting: queue.waiting + queue.delayed + queue.active,
      oldestWaitingAt: queue.oldestAt,
      deadLetters: queue.deadLetters,
      deadLettersLast10m: dead.since,
      newestDeadLetterAt: dead.newestAt,
      firstAttempts: firsts[index] ?? { ended: 0, failed: 0 },
      attemptsLastHour: attemptsOf(attempts),
      p95Ms: attemptMs(attempts, 0.95),
      timeoutMs: timeoutOf(destination),
      attempts: total.attempts,
      everDelivered: total.delivered > 0,
      isRefusedByGuard: isRefusedByGuard(total),
      // One of the same name may have been there before.
      lastAskedAt: askedAt !== null && askedAt >= (createdMs ?? 0) ? askedAt : null,
      certificateEndsAt,
      oldSecretEndsAt: oldSecretEndsAt(destination, nowMs),
    };
  });
};
