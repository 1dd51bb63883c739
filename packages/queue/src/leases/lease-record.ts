import { randomBytes } from 'node:crypto';
import { JOB_FIELD_LUA, jobKey, lockKey, stalledKey } from '../jobs/keys.ts';
import type { QueueName } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import type { Store } from '../redis/store.ts';
import holdLeaseLua from './hold-lease.lua';

/*
 * A lease is BullMQ's lock under a token that its holder knows, and a field beside the job that says when it was handed
 * out, so that one that ends unanswered can be written down as an attempt.
 */

/**
 * Any holder of the token may answer, so it cannot be guessed. It begins with the time at which the delivery was taken.
 */
export const newLeaseToken = (nowMs: number): string =>
  `${nowMs.toString(36)}-${randomBytes(16).toString('base64url')}`;

/** @returns undefined for a token that is not ours */
export const leaseStartedAtMs = (token: string): number | undefined => {
  const match = /^([0-9a-z]{8,9})-[\w-]{22}$/.exec(token);
  return match ? Number.parseInt(match[1] as string, 36) : undefined;
};

const HOLD: Script = { name: 'holdLease', lua: JOB_FIELD_LUA + holdLeaseLua };

export interface LeaseRecord {
  readonly startedAtMs: number;
  readonly endsAtMs: number;
  /** How many leases of the delivery had ended unanswered when this one began. */
  readonly expiredBefore: number;
  /** For how long it holds the job, from when it was taken or extended. */
  readonly forMs: number;
}

const parseRecord = (text: string | null): LeaseRecord | undefined => {
  const [startedAtMs, endsAtMs, expiredBefore, forMs] = (text ?? '').split(':').map(Number);
  if (!startedAtMs || !endsAtMs || expiredBefore === undefined || !forMs) return undefined;
  return { startedAtMs, endsAtMs, expiredBefore, forMs };
};

/**
 * Holds the job that was taken under this token for `forMs`.
 * @returns undefined when the token no longer holds it; else what was remembered of the lease before, if there was one
 */
export const holdLease = async (
  store: Store,
  queue: QueueName,
  jobId: string,
  token: string,
  record: LeaseRecord,
): Promise<{ before: LeaseRecord | undefined } | undefined> => {
  const [held, before] = await runScript<[0 | 1, string | null]>(
    store.redis,
    HOLD,
    [lockKey(queue, jobId), stalledKey(queue), jobKey(queue, jobId)],
    [token, record.forMs, jobId, `${record.startedAtMs}:${record.endsAtMs}:${record.expiredBefore}:${record.forMs}`],
  );
  return held === 1 ? { before: parseRecord(before) } : undefined;
};
