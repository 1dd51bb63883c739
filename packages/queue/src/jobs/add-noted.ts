import { randomBytes } from 'node:crypto';
import { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import type { QueueName } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * A note is what the producer of a job tells its taker, apart from the job's data: it may be written after the
 * job was added, by a script of the caller's, to the field `JOB.note`. BullMQ hands it over as the job's progress.
 */

/** The note of a job; undefined without one: BullMQ begins every job with a progress of 0. */
export const noteOf = ({ progress }: Pick<Job, 'progress'>): unknown => (progress === 0 ? undefined : progress);

/**
 * Adds a job and sends a command behind it, both in one write to Redis. Read apart, a worker could take the job in
 * between, and a note would come too late. Resolves when the job is added, whatever becomes of the command.
 */
export const addNoted = async (
  store: Store,
  queueName: QueueName,
  data: unknown,
  writeNote: (redis: Redis, jobId: string) => Promise<unknown>,
): Promise<void> => {
  const queue = store.queue(queueName);
  const client = await queue.backend.client;
  const redis = store.connectionOf(queueName.prefix);
  // BullMQ refuses ids of digits only.
  const id = `g${randomBytes(9).toString('base64url')}`;
  redis.stream?.cork();
  const added = queue.backend.addJobToTransaction(client, new Job(queue, '', data, { jobId: id }).asJSON(), id);
  const noted = writeNote(redis, id);
  redis.stream?.uncork();
  // A job without its note is an ordinary job.
  noted.catch(() => {});
  await added;
};
