import { randomBytes } from 'node:crypto';
import { soleEventId } from '@clickrelay/core';
import { Job } from 'bullmq';
import type { Result } from 'ioredis';
import { DESTINATIONS_VERSION } from '../destinations/destinations.ts';
import { jobKey, waitKey } from '../jobs/keys.ts';
import { FIND_SEEN, generationsOf, RESERVED } from '../log/dedupe.ts';
import { claimOf, eventKeys, type QueueName, REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import type { CallbackToCommit, IngestGroup } from './commit.ts';
import { TEST_MESSAGE } from './test-callbacks.ts';

/*
 * Of a callback that comes alone, with one event, the step that commits it also looks whether the fact is new, and
 * reserves it for the job: the worker then need not wait for the disk a second time before it delivers. In a flood this
 * would only be work for the receiver, where there is least time for it, and nobody would have the event any sooner: the
 * facts of what comes together are looked up together, by the worker.
 *
 * The job comes first, and a fact is reserved only while it is there: a mark without a job would make the same fact, sent
 * again, a repetition of nothing. A job without a reserved fact is what all others are. The worker logs the event under
 * the same claim, which makes the reservation a dedupe record like any other. It is told of the reservation, and how far
 * the registry of destinations was at that moment, by what BullMQ calls the progress of a job.
 */

/** What the worker is told of a job whose fact is reserved for it. */
export interface Reservation {
  /** The registry's version then: null when it never had a destination. */
  readonly version: string | null;
}

/** Generation and expiry of dedupe records in ms and s: a setting of the worker, which decides for all. */
const DEDUPE = `${REGISTRY}:dedupe`;

/*
 * KEYS: job, jobs that wait, dedupe, version of the destinations. ARGV: claim, prefix of the
 * event's keys, event id.
 * Nothing is done when a worker has more to take than this, and when none was ever there to say how long a fact is known.
 */
const RESERVE_SCRIPT = `
${FIND_SEEN}
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('LLEN', KEYS[2]) ~= 1 then return end
local generationMs, expires = string.match(redis.call('GET', KEYS[3]) or '', '(%d+) (%d+)')
if not generationMs then return end
local time = redis.call('TIME')
local generation = math.floor((time[1] * 1000 + math.floor(time[2] / 1000)) / generationMs)
local seen, field, found = findSeen(ARGV[2], ARGV[3], generation)
if found then return end
markSeen(seen .. generation, field, '${RESERVED}' .. ARGV[1], expires)
local version = redis.call('GET', KEYS[4])
redis.call('HSET', KEYS[1], 'progress', version and '{"version":"' .. version .. '"}' or '{"version":null}')`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    reserveFact(...keysAndArgs: string[]): Result<null, Context>;
  }
}

/** Tells receivers how long a fact is known. To be called by who takes what they commit. */
export const shareDedupe = async (store: Store, dedupeTtlMs: number): Promise<void> => {
  const { generationMs, expireSeconds } = generationsOf(dedupeTtlMs);
  await store.redis.set(DEDUPE, `${generationMs} ${expireSeconds}`);
};

/** The id of the event that a callback, committed alone, may be reserved for. */
export const reservableId = (
  store: Store,
  { lane, text, integrationId, sole }: CallbackToCommit,
): string | undefined => {
  // A customer waits for the answer to a message. On a Cluster queue and log are on different servers.
  if (lane !== 'messages' || store.isCluster || sole === undefined || integrationId === undefined) return undefined;
  const { messageId } = (sole.element ?? {}) as { messageId?: unknown };
  // The worker has to look whether it is a test: of those nothing is kept.
  if (String(messageId).startsWith(TEST_MESSAGE) || typeof text !== 'string') return undefined;
  return soleEventId({ text, integrationId, sole });
};

/** Adds a group of one callback to its queue, and reserves its fact if that is any use. */
export const addReserving = async (
  store: Store,
  name: QueueName,
  group: IngestGroup,
  eventId: string,
): Promise<void> => {
  const queue = store.queue(name);
  const client = await queue.backend.client;
  const redis = store.connectionOf(name.prefix);
  if (redis.reserveFact === undefined) redis.defineCommand('reserveFact', { numberOfKeys: 4, lua: RESERVE_SCRIPT });
  // BullMQ takes no id of digits only.
  const id = `g${randomBytes(9).toString('base64url')}`;
  const { prefix } = eventKeys(eventId);
  // One after the other in one write. Read apart, a worker might take the job in between, and it would be too late.
  redis.stream?.cork();
  const added = queue.backend.addJobToTransaction(client, new Job(queue, '', group, { jobId: id }).asJSON(), id);
  const reserved = redis.reserveFact(
    jobKey(name, id),
    waitKey(name),
    DEDUPE,
    DESTINATIONS_VERSION,
    claimOf(name, id),
    `${prefix}:`,
    eventId,
  );
  redis.stream?.uncork();
  // What became of it is the worker's business: what was not reserved is looked up then.
  reserved.catch(() => {});
  await added;
};
