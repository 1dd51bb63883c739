import type { Job } from 'bullmq';
import { noteOf } from './add-noted.ts';
import { returnTake } from './return-take.ts';
import { type Settlement, settle } from './settle.ts';
import type { Dispatch, Source } from './source.ts';

/** What a job comes back after whose run threw. */
const AFTER_ERROR: Settlement = { kind: 'postpone', delayMs: 1_000 };

/**
 * Runs a taken job and tells BullMQ what became of it.
 * @returns true when its take was given back to the rate of the queue, which may allow another one now.
 */
export const runJob = async (dispatch: Dispatch, source: Source, job: Job, token: string): Promise<boolean> => {
  const { consumer, taker } = source;
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
    settlement = AFTER_ERROR;
  }
  await settle(taker, job, token, settlement);
  const { rate, queue } = consumer;
  if (rate === undefined || (settlement.kind !== 'return' && settlement.kind !== 'await_turn')) return false;
  // Nothing was done with the job. Otherwise many that wait for their turn would use up the rate.
  return returnTake(dispatch.store, queue, rate, performance.now() - since);
};
