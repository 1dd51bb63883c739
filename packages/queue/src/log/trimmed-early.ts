import { HOUR_MS } from '@clickrelay/core';
import { createPendingNumbers, readSeries } from '../counts/time-series.ts';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/* How many events left the log before their time, because it was full or Redis was, by the minute. */

const PREFIX = `${REGISTRY}:trimmed-early`;
const KEPT = { minute: 8 * HOUR_MS } as const;

export const countTrimmedEarly = async (store: Store, events: number): Promise<void> => {
  if (events === 0) return;
  const numbers = createPendingNumbers(1, KEPT);
  numbers.add({ prefix: PREFIX }, Date.now(), [events]);
  await numbers.write(store);
};

/** Those of the last `forMs`; and when the last one left, in ms, to the minute, as far back as is kept. */
export const readTrimmedEarly = async (
  store: Store,
  forMs: number,
  nowMs: number,
): Promise<{ events: number; lastAt: number | null }> => {
  const [rows = []] = await readSeries(store, [PREFIX], { step: 'minute', fromMs: nowMs - KEPT.minute, toMs: nowMs });
  const recent = rows.filter(({ at }) => at >= nowMs - forMs);
  return {
    events: recent.reduce((sum, { numbers }) => sum + (numbers[0] ?? 0), 0),
    lastAt: rows.length === 0 ? null : Math.max(...rows.map(({ at }) => at)),
  };
};
