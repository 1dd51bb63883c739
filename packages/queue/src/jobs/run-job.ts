import { setTimeout as pause } from 'node:timers/promises';
import type { Job } from 'bullmq';
import { noteOf } from './add-noted.ts';
import { isLockLost } from './bullmq-codes.ts';
import { returnTake } from './return-take.ts';
import { type Settlement, settle } from './settle.ts';
import type { Dispatch, Source } from './source.ts';

/** A job whose run threw comes back after this long, in ms: twice as long each time, so that it takes no other's place. */
const AFTER_ERROR_MS = { shortest: 1_000, longest: 16_000 } as const;

const afterError = (timesTaken: number): Settlement => ({
  kind: 'postpone',
  delayMs: Math.min(AFTER_ERROR_MS.shortest * 2 ** timesTaken, AFTER_ERROR_MS.longest),
});

/** Before a settlement that Redis did not take is sent again. */
const SETTLE_AGAIN_MS = 500;

/**
 * Runs a taken job and tells BullMQ what became of it.
 * @returns true when its take was given back to the rate of the queue, which may allow another one now.
 */
export const runJob = async (dispatch: Dispatch, source: Source, job: Job, token: string): Promise<boolean> => {
  const { consumer } = source;
  const since = performance.now();
  let settlement: Settlement;
  try {
    settlement = await consumer.run({
      id: job.id as string,
      data: job.data,
      note: noteOf(job),
      attemptsMade: job.attemptsMade,
      timesTaken: job.attemptsStarted - 1,
      stalledCount: job.stalledCounter,
      token,
    });
  } catch (error) {
    dispatch.onError(error);
    settlement = afterError(job.attemptsStarted - 1);
  }
  await settleSurely(dispatch, source, { job, token, settlement });
  const { rate, queue } = consumer;
  if (rate === undefined || (settlement.kind !== 'return' && settlement.kind !== 'await_turn')) return false;
  // Nothing was done with the job. Otherwise many that wait for their turn would use up the rate.
  return returnTake(dispatch.store, queue, rate, performance.now() - since);
};

/**
 * Settles a job. Where its holder set the lock, that may last for minutes: a settlement that failed is sent again until
 * it succeeds, or the job is no longer ours. Any other lock ends within seconds, and the job comes back.
 */
const settleSurely = async (
  dispatch: Dispatch,
  { consumer, taker }: Source,
  { job, token, settlement }: { job: Job; token: string; settlement: Settlement },
): Promise<void> => {
  for (let isAgain = false; ; isAgain = true) {
    try {
      return await settle(taker, job, token, settlement);
    } catch (error) {
      // Redis carried out the one before, and its answer was lost.
      if (isAgain && isLockLost(error)) return;
      if (consumer.newToken === undefined || dispatch.isClosing || isLockLost(error)) throw error;
      dispatch.onError(error);
      await pause(SETTLE_AGAIN_MS);
    }
  }
};
