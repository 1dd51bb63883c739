import { MARKER } from './keys.ts';
import type { Popped } from './marker-read.ts';
import type { Dispatch, Source } from './source.ts';

/** Says again that the queue has something ready, for other processes: this one popped the marker and has no room. */
export const markReady = ({ store, onError }: Dispatch, { marker }: Pick<Source, 'marker'>): void => {
  store.redis.zadd(marker, 0, MARKER.ready).catch(onError);
};

/** Puts back a marker that was meant for another process. One that is due earlier stays. */
export const returnMarker = ({ store, onError }: Dispatch, { marker, member, at }: Popped): void => {
  store.redis.zadd(marker, 'LT', at, member).catch(onError);
};
