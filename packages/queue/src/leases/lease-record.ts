import { randomBytes } from 'node:crypto';
import type { Result } from 'ioredis';
import { jobKey, lockKey, stalledKey } from '../jobs/keys.ts';
import type { QueueName } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * A lease is BullMQ's lock under a token that its holder knows, and a field beside the job that says when it was handed
 * out, so that one that ends unanswered can be written down as an attempt.
 */

/** Anybody who has it may answer, so nobody can guess it. It begins with the time at which the delivery was taken. */
export const newLeaseToken = (): string => `${Date.now().toString(36)}-${randomBytes(16).toString('base64url')}`;

/** @returns undefined for what is no token of ours. */
export const leaseStartedAtMs = (token: string): number | undefined => {
  const match = /^([0-9a-z]{8,9})-[\w-]{22}$/.exec(token);
  return match ? Number.parseInt(match[1] as string, 36) : undefined;
};

/* As BullMQ extends a lock. KEYS: lock, stalled, job. ARGV: token, ms, job id, what to remember. Answers: held, remembered. */
const HOLD_SCRIPT = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0, false} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SREM', KEYS[2], ARGV[3])
local before = redis.call('HGET', KEYS[3], 'lease')
redis.call('HSET', KEYS[3], 'lease', ARGV[4])
return {1, before}`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    holdLease(...args: (string | number)[]): Result<[0 | 1, string | null], Context>;
  }
}

export const defineLeaseCommands = (store: Store): void =>
  store.redis.defineCommand('holdLease', { numberOfKeys: 3, lua: HOLD_SCRIPT });

export interface LeaseRecord {
  readonly startedAtMs: number;
  readonly endsAtMs: number;
  /** How many leases of this delivery had ended unanswered when this one began. */
  readonly expiredBefore: number;
}

const parseRecord = (text: string | null): LeaseRecord | undefined => {
  const [startedAtMs, endsAtMs, expiredBefore] = (text ?? '').split(':').map(Number);
  return startedAtMs && endsAtMs && expiredBefore !== undefined ? { startedAtMs, endsAtMs, expiredBefore } : undefined;
};

/**
 * Holds what was taken under this token until `endsAtMs`.
 * @returns undefined when the token no longer holds it; else what was remembered of the lease before, if there was one
 */
export const holdLease = async (
  store: Store,
  queue: QueueName,
  jobId: string,
  token: string,
  record: LeaseRecord,
): Promise<{ before: LeaseRecord | undefined } | undefined> => {
  const [held, before] = await store.redis.holdLease(
    lockKey(queue, jobId),
    stalledKey(queue),
    jobKey(queue, jobId),
    token,
    Math.max(record.endsAtMs - Date.now(), 1),
    jobId,
    `${record.startedAtMs}:${record.endsAtMs}:${record.expiredBefore}`,
  );
  return held === 1 ? { before: parseRecord(before) } : undefined;
};
