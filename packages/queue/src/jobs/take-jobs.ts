import { Job, type JobJson } from 'bullmq';
import type { JobTaker } from '../redis/store.ts';
import { FIRST_BATCH, growBatch } from './grow-batch.ts';
import { runJob } from './run-job.ts';
import { type Dispatch, isLimited, isOpen, roomOf, type Source, tellIfIdle } from './source.ts';
import { markReady } from './write-marker.ts';

/** Jobs that follow one another sooner than this, in ms, are a flood. */
const FLOOD_MS = 2;
/** After a take that Redis did not answer. */
const RETRY_TAKE_MS = 1_000;

/**
 * Takes what is ready, one job at first and more at once while the queue keeps giving (see grow-batch.ts). A take that
 * finds something writes the marker again, so the next take follows from that. One at a time per queue, so that nothing
 * is asked twice.
 */
export const takeJobs = async (dispatch: Dispatch, source: Source): Promise<void> => {
  if (source.taking) {
    source.again = true;
    return;
  }
  source.taking = true;
  dispatch.takes++;
  try {
    do {
      source.again = false;
      if (!(await takeBatch(dispatch, source))) break;
    } while (source.again && !dispatch.isClosing);
  } catch (error) {
    dispatch.onError(error);
    wakeIn(dispatch, source, RETRY_TAKE_MS);
  } finally {
    source.taking = false;
    dispatch.takes--;
    tellIfIdle(dispatch);
  }
  // It was full when the present read began: the read does not wait for it.
  if (roomOf(source) > 0) listenTo(source);
};

/** @returns false when there was no room. */
const takeBatch = async (dispatch: Dispatch, source: Source): Promise<boolean> => {
  const { consumer } = source;
  const room = isOpen(dispatch, source) ? roomOf(source) : 0;
  source.isFull = room <= 0;
  const since = performance.now();
  if (isLimited(source)) consumer.onLimited?.(since);
  if (source.isFull) return false;
  const count = Math.min(source.batch.size, room);
  const found = await Promise.all(Array.from({ length: count }, () => takeOne(dispatch, source)));
  if (found.every(Boolean)) {
    source.batch = growBatch(source.batch);
    return true;
  }
  source.batch = FIRST_BATCH;
  if (isLimited(source)) consumer.onLimited?.(since);
  else consumer.onEmpty?.(since);
  return true;
};

/** BullMQ's answer to a take. */
type TakeReply = [json?: JobJson | null, id?: string, limitMs?: number, delayUntil?: number];

/** @returns whether there was a job. */
const takeOne = async (dispatch: Dispatch, source: Source, taker = source.taker): Promise<boolean> => {
  const token = source.consumer.newToken?.() ?? dispatch.newToken();
  source.asked++;
  let reply: TakeReply;
  try {
    reply = (await taker.backend.moveToActive(token)) as TakeReply;
  } finally {
    source.asked--;
  }
  const [json, id, limitMs, delayUntil] = reply;
  if (!json || !id) {
    if (limitMs) {
      source.limitedUntil = performance.now() + Number(limitMs);
      wakeIn(dispatch, source, Number(limitMs));
    }
    if (delayUntil) wakeIn(dispatch, source, Number(delayUntil) - dispatch.store.clock.now());
    return false;
  }
  start(dispatch, source, Job.fromJSON(source.taker, json, id), token);
  return true;
};

/** Takes one job over the connection of the read, behind it: whatever ends that read, this take follows. */
export const takePromptly = async (dispatch: Dispatch, source: Source, taker: JobTaker): Promise<void> => {
  dispatch.takes++;
  try {
    if (!(await takeOne(dispatch, source, taker))) return;
    const now = performance.now();
    // Jobs come in a flood: larger takes are quicker.
    if (now - source.gaveAt < FLOOD_MS) void takeJobs(dispatch, source);
    source.gaveAt = now;
  } finally {
    dispatch.takes--;
    tellIfIdle(dispatch);
  }
};

const start = (dispatch: Dispatch, source: Source, job: Job, token: string): void => {
  source.running.set(token, job.id as string);
  dispatch.working.add(source);
  void runJob(dispatch, source, job, token)
    .then((isTakeReturned) => {
      if (!isTakeReturned) return;
      source.limitedUntil = 0;
      // A take that found the rate used up has taken the marker along.
      void takeJobs(dispatch, source);
    })
    .catch(dispatch.onError)
    .finally(() => {
      source.running.delete(token);
      if (source.running.size === 0) dispatch.working.delete(source);
      if (dispatch.isClosing) tellIfIdle(dispatch);
      else takeIfPassedOver(dispatch, source);
    });
};

/** There is room again. Takes only if the read under way does not wait for the queue. */
export const takeIfPassedOver = (dispatch: Dispatch, source: Source): void => {
  // Otherwise the read will tell: asking as well would only cost Redis a look at an empty queue.
  if (source.isFull || !source.group.read.waitsFor(source.marker)) void takeJobs(dispatch, source);
};

/** Takes in so many ms, unless an earlier time is set. */
export const wakeIn = (dispatch: Dispatch, source: Source, ms: number): void => {
  if (isOpen(dispatch, source)) source.alarm.setIn(ms);
};

/** A time that was set with `wakeIn` has come. */
export const wake = (dispatch: Dispatch, source: Source): void => {
  // The marker was popped when the time was set: others have to hear of it when there is no room here.
  if (roomOf(source) <= 0) markReady(dispatch, source);
  void takeJobs(dispatch, source);
};

/** The read under way, or the next one, waits for this queue. */
const listenTo = ({ group, marker }: Source): void => {
  group.wake();
  if (group.read.waitsFor(marker) === false) group.read.interrupt();
};
