import type { Job } from 'bullmq';
import type { JobTaker } from '../redis/store.ts';
import { isJobElsewhere } from './bullmq-codes.ts';
import { JOB_FIELD } from './keys.ts';
import type { DeadLetterKind } from './outcome.ts';

/** What became of a job. */
export type Settlement =
  | { readonly kind: 'done' }
  /** Comes back after the delay, and counts as an attempt. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly reason: string }
  /** Comes back after the delay and does not count: nothing was tried. */
  | { readonly kind: 'postpone'; readonly delayMs: number }
  /**
   * Its turn has not come: sleeps until `wakeJob` wakes it or the delay passes, and does not count. `hasCome` is asked
   * once it sleeps: the process that was to wake it may have done so just before.
   */
  | { readonly kind: 'await_turn'; readonly delayMs: number; hasCome(): Promise<boolean> }
  /** Goes back to where it was taken from and does not count. */
  | { readonly kind: 'return' }
  /** Settled by the holder of its token, now or later. */
  | { readonly kind: 'leased' }
  /** Kept as failed until a person decides. */
  | {
      readonly kind: 'dead_letter';
      readonly reason: string;
      /** @default 'refused' */
      readonly because?: DeadLetterKind | undefined;
    };

/**
 * Tells BullMQ what became of a job. Throws when it is no longer ours: its lock ran out, and another token holds it.
 */
export const settle = async (taker: JobTaker, job: Job, token: string, settlement: Settlement): Promise<void> => {
  const id = job.id as string;
  switch (settlement.kind) {
    case 'done':
      await taker.backend.moveToCompleted(job, null, { count: 0 }, token, false);
      return;
    case 'retry':
      // Straight to BullMQ's script: the wait was decided by `outcomeOf`, and no stack trace is stored.
      await taker.backend.moveToDelayed(id, taker.now(), Math.max(settlement.delayMs, 1), token, {
        fieldsToUpdate: { failedReason: settlement.reason },
      });
      return;
    case 'postpone':
      await taker.backend.moveToDelayed(id, taker.now(), Math.max(settlement.delayMs, 1), token, { skipAttempt: true });
      return;
    case 'await_turn':
      await taker.backend.moveToDelayed(id, taker.now(), Math.max(settlement.delayMs, 1), token, { skipAttempt: true });
      if (await settlement.hasCome()) await wakeJob(taker, id);
      return;
    case 'return':
      await taker.backend.moveJobFromActiveToWait(id, token);
      return;
    case 'leased':
      return;
    case 'dead_letter':
      await taker.backend.moveToFailed(job, settlement.reason, false, token, false, {
        failedReason: settlement.reason,
        [JOB_FIELD.deadKind]: settlement.because ?? 'refused',
      });
      return;
  }
};

/** Makes a sleeping job ready now. Does nothing to a job that waits already, runs, or is gone. */
export const wakeJob = async (taker: JobTaker, id: string): Promise<void> => {
  try {
    await taker.backend.promote(id);
  } catch (error) {
    if (!isJobElsewhere(error)) throw error;
  }
};
