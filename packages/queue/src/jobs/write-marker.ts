import type { Popped } from './marker-read.ts';
import type { Dispatch, Source } from './source.ts';

/**
 * BullMQ's member of a marker for jobs that are ready now, scored 0. Another member is scored with the time of the next
 * delayed job.
 */
const READY = '0';

/** Says again that the queue has something ready, for other processes: this one popped the marker and has no room. */
export const markReady = ({ store, onError }: Dispatch, { marker }: Pick<Source, 'marker'>): void => {
  store.redis.zadd(marker, 0, READY).catch(onError);
};

/** Puts back a marker that was meant for another process. One that is due earlier stays. */
export const returnMarker = ({ store, onError }: Dispatch, { marker, member, at }: Popped): void => {
  store.redis.zadd(marker, 'LT', at, member).catch(onError);
};
