import { setTimeout as pause } from 'node:timers/promises';
import type { Popped } from './marker-read.ts';
import { type Dispatch, type ReadGroup, roomOf, type Source } from './source.ts';
import { takeJobs, takePromptly, wakeIn } from './take-jobs.ts';
import { markReady, returnMarker } from './write-marker.ts';

/** With no room anywhere; making room ends the pause early. */
const NO_ROOM_PAUSE_MS = 20;
/** Twice as long after each error in a row: on a Cluster, a slot may stay open for long. */
const AFTER_ERROR_PAUSE_MS = { shortest: 100, longest: 2_000 } as const;

/**
 * Waits for the queues of a group, read after read, and takes what becomes ready. Resolves when the group is closed.
 */
export const listenForJobs = async (dispatch: Dispatch, group: ReadGroup): Promise<void> => {
  const { read } = group;
  let pauseMs: number = AFTER_ERROR_PAUSE_MS.shortest;
  while (!dispatch.isClosing && !group.isClosed) {
    const open = [...group.sources.values()].filter(isListenedTo);
    if (open.length === 0) {
      await Promise.race([pause(NO_ROOM_PAUSE_MS), new Promise<void>((resolve) => (group.wake = resolve))]);
      continue;
    }
    try {
      const prompt = open.filter(({ consumer }) => consumer.isPrompt);
      const popped = await read.wait(
        open.map(({ marker }) => marker),
        prompt.map((source) => ({
          queue: source.consumer.queue,
          marker: source.marker,
          take: (taker) => takePromptly(dispatch, source, taker),
        })),
      );
      pauseMs = AFTER_ERROR_PAUSE_MS.shortest;
      if (popped !== undefined) follow(dispatch, popped, prompt);
      // What was taken goes first: sending the next read takes longer than splitting a callback.
      await new Promise((resolve) => setImmediate(resolve));
    } catch (error) {
      if (dispatch.isClosing || group.isClosed) return;
      dispatch.onError(error);
      read.reset();
      await pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, AFTER_ERROR_PAUSE_MS.longest);
    }
  }
};

/**
 * A full queue is left to other processes: to pop its marker would hide from them that it has work. Nor does the read
 * wait for a queue that is being taken from for holders of leases: they come and go, and the take tells when nothing is
 * left.
 */
const isListenedTo = (source: Source): boolean =>
  roomOf(source) > 0 && !(source.taking && source.consumer.newToken !== undefined);

/** A marker was popped: its queue has, or will have, something for us. */
const follow = (dispatch: Dispatch, popped: Popped, taken: readonly Source[]): void => {
  const { marker, at } = popped;
  const source = dispatch.sources.get(marker);
  if (dispatch.isClosing || source === undefined) {
    returnMarker(dispatch, popped);
    return;
  }
  // The first ready key of the list is served: behind the others with it, or one busy queue starves the rest.
  source.group.sources.delete(marker);
  source.group.sources.set(marker, source);
  const inMs = at - dispatch.store.clock.now();
  if (inMs > 0) wakeIn(dispatch, source, inMs);
  else if (taken.includes(source)) return;
  else if (roomOf(source) > 0) void takeJobs(dispatch, source);
  else markReady(dispatch, source);
};
