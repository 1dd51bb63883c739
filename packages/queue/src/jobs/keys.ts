import { ingestQueue, type QueueName, queueKey } from '../redis/names.ts';

/* The keys that BullMQ makes for a queue and its jobs, and what we write into its jobs. No other file names them. */

/** Where BullMQ says that something in this queue is, or will be, ready. */
export const markerKey = (queue: QueueName): string => `${queueKey(queue)}:marker`;
export const waitKey = (queue: QueueName): string => `${queueKey(queue)}:wait`;
/** Waits as well, behind all that is under `waitKey`. */
export const prioritizedKey = (queue: QueueName): string => `${queueKey(queue)}:prioritized`;
export const activeKey = (queue: QueueName): string => `${queueKey(queue)}:active`;
export const stalledKey = (queue: QueueName): string => `${queueKey(queue)}:stalled`;
export const jobKey = (queue: QueueName, jobId: string): string => `${queueKey(queue)}:${jobId}`;
/** Field of the job of a dead letter: why it is one. Written whenever a job fails, so that none is left of an earlier time. */
export const DEAD_KIND = 'deadKind';
/** Holds the token of whoever has taken the job, and is gone when its time is over. */
export const lockKey = (queue: QueueName, jobId: string): string => `${jobKey(queue, jobId)}:lock`;
/** How many jobs were taken in the present span of the queue's rate; gone when that is over. */
export const limiterKey = (queue: QueueName): string => `${queueKey(queue)}:limiter`;
export const delayedKey = (queue: QueueName): string => `${queueKey(queue)}:delayed`;
export const failedKey = (queue: QueueName): string => `${queueKey(queue)}:failed`;

/** The key of that job, which is there until the group is done; undefined for a claim of nothing of ours. */
export const jobOfClaim = (claim: string): string | undefined => {
  const [, lane, shard, jobId] = /^([ms])(\d\d)(.+)$/.exec(claim) ?? [];
  if (jobId === undefined) return undefined;
  return jobKey(ingestQueue(lane === 'm' ? 'messages' : 'statuses', Number(shard)), jobId);
};
