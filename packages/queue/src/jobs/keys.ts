import { ingestQueue, type QueueName, queueKey } from '../redis/names.ts';
import { luaTable } from '../redis/script.ts';

/* The keys that BullMQ makes for a queue and its jobs, and the fields of a job. No other file names them. */

/** Where BullMQ says that something in this queue is, or will be, ready. */
export const markerKey = (queue: QueueName): string => `${queueKey(queue)}:marker`;
export const waitKey = (queue: QueueName): string => `${queueKey(queue)}:wait`;
/** Waits as well, behind everything under `waitKey`. */
export const prioritizedKey = (queue: QueueName): string => `${queueKey(queue)}:prioritized`;
export const activeKey = (queue: QueueName): string => `${queueKey(queue)}:active`;
export const delayedKey = (queue: QueueName): string => `${queueKey(queue)}:delayed`;
export const failedKey = (queue: QueueName): string => `${queueKey(queue)}:failed`;
/** There for a moment after a check for stalled jobs. */
export const checkedKey = (queue: QueueName): string => `${queueKey(queue)}:stalled-check`;
export const stalledKey = (queue: QueueName): string => `${queueKey(queue)}:stalled`;
/** How many jobs were taken in the present span of the queue's rate; gone when the span is over. */
export const limiterKey = (queue: QueueName): string => `${queueKey(queue)}:limiter`;
export const jobKey = (queue: QueueName, jobId: string): string => `${queueKey(queue)}:${jobId}`;
/** Holds the token of the job's holder, and expires when its time is over. */
export const lockKey = (queue: QueueName, jobId: string): string => `${jobKey(queue, jobId)}:lock`;

/** The fields of a job's hash: BullMQ's, and ours. */
export const JOB_FIELD = {
  data: 'data',
  addedAt: 'timestamp',
  attemptsMade: 'atm',
  stalledCount: 'stc',
  /** For how long it was put off, in ms. */
  delay: 'delay',
  /** BullMQ's progress of a job: holds our note, as JSON (see add-noted.ts). */
  note: 'progress',
  /** Ours: why a failed job is a dead letter. Written whenever a job fails, so that none is left of an earlier time. */
  deadKind: 'deadKind',
  /** Ours: when the job was leased, and until when (see leases/lease-record.ts). */
  lease: 'lease',
  /** BullMQ's: what the job failed with. */
  failedReason: 'failedReason',
} as const;

/** The members of a marker: something is ready, scored 0, or will be, scored with the time. */
export const MARKER = { ready: '0', delayed: '1' } as const;

/** A delayed job is scored with the time when it is due, times this: so many can be told apart in a millisecond. */
export const DELAY_STEPS = 0x1000;

/** For scripts: `JOB.addedAt` and the others. */
export const JOB_FIELD_LUA = luaTable('JOB', JOB_FIELD);

/**
 * The key of the ingest job that a claim names (see `claimOf`). The job exists until its group is done.
 * @returns undefined for a claim that names no job of ours
 */
export const jobKeyOfClaim = (claim: string): string | undefined => {
  const [, lane, shard, jobId] = /^([ms])(\d\d)(.+)$/.exec(claim) ?? [];
  if (jobId === undefined) return undefined;
  return jobKey(ingestQueue(lane === 'm' ? 'messages' : 'statuses', Number(shard)), jobId);
};
