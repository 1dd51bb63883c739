import type { QueueName } from '../redis/names.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { JOB_FIELD, jobKey } from './keys.ts';
import type { DeadLetterKind } from './outcome.ts';

/* What can be read of jobs without loading each as BullMQ does. */

/** A job that waits in a queue. */
export interface WaitingJob {
  /** As it lies in Redis. */
  readonly data: string | null;
  /** How many attempts counted. */
  readonly attemptsMade: number;
  /** How many times its lock ran out. */
  readonly stalledCount: number;
}

/** Reads a waiting job, as part of a pipeline. `parseWaitingJob` reads the answer. */
export const readWaitingJob = (queue: QueueName, jobId: string): RedisCommand => [
  'hmget',
  jobKey(queue, jobId),
  JOB_FIELD.data,
  JOB_FIELD.attemptsMade,
  JOB_FIELD.stalledCount,
];

export const parseWaitingJob = (reply: unknown): WaitingJob => {
  const [data = null, attemptsMade, stalledCount] = reply as (string | null)[];
  return { data, attemptsMade: Number(attemptsMade ?? 0), stalledCount: Number(stalledCount ?? 0) };
};

type FailedJobs = readonly { readonly queue: QueueName; readonly jobId: string }[];

const readField = async (store: Store, jobs: FailedJobs, field: string): Promise<(string | null)[]> =>
  (await sendAll(
    store,
    jobs.map(({ queue, jobId }) => ['hget', jobKey(queue, jobId), field]),
  )) as (string | null)[];

/** Why each of these failed jobs is a dead letter. */
export const readDeadKinds = async (store: Store, jobs: FailedJobs): Promise<DeadLetterKind[]> => {
  const kinds = await readField(store, jobs, JOB_FIELD.deadKind);
  return kinds.map((kind) => (kind as DeadLetterKind | null) ?? 'refused');
};

/** What each of these jobs failed with. */
export const readFailedReasons = (store: Store, jobs: FailedJobs): Promise<(string | null)[]> =>
  readField(store, jobs, JOB_FIELD.failedReason);

/** Forgets how many times the job's lock ran out. BullMQ does not, not even when it retries a failed job. */
export const forgetStalls = async (store: Store, queue: QueueName, jobId: string): Promise<void> => {
  await store.redis.hdel(jobKey(queue, jobId), JOB_FIELD.stalledCount);
};
