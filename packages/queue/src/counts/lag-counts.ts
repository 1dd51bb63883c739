import { DAY_MS, type Event, HOUR_MS, type Lane, MINUTE_MS, STATUS_TYPE } from '@clickrelay/core';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { createPendingNumbers, readSeries, type SeriesRow, stepStart, sumNumbers } from './time-series.ts';
import { writeRegularly } from './write-regularly.ts';

/*
 * How late Clickatell hands events over: `receivedAt` minus `occurredAt` of new events, by lane, channel and class of
 * status, in each minute for an hour and in each hour for eight days. A worker adds them up in memory and writes them
 * every second.
 *
 * Repeats are left out: they come after the retry interval of the sender. So is READ: its time is when a person looked.
 */

const PREFIX = `${REGISTRY}:lag`;
const KEPT = { minute: HOUR_MS, hour: 8 * DAY_MS } as const;
const WRITE_MS = 1_000;

/** Upper bounds of the classes that lags are counted in, in seconds; the last class has no bound. */
export const LAG_BOUNDS_S = [1, 2, 5, 10, 30, 60, 300, 900, 3_600, 21_600] as const;
/** Where each number stands in a row. */
const AT = { unusable: 0, early: 1, classes: 2 } as const;
const SIZE = AT.classes + LAG_BOUNDS_S.length + 1;

/** Before this no message was sent: a time of 0, or one in seconds. */
const EARLIEST_MS = Date.parse('2010-01-01T00:00:00.000Z');
/** Further ahead of its arrival than this, a time is a mistake; less is a clock that differs. */
const FUTURE_MS = 5 * MINUTE_MS;
/** So much earlier than it occurred an event may arrive: the clocks differ by as much. */
const CLOCKS_DIFFER_MS = 1_000;

const LAG_CHANNELS = ['whatsapp', 'sms', 'other'] as const;
type LagChannel = (typeof LAG_CHANNELS)[number];

const channelOf = (channel: string | null): LagChannel => {
  const name = channel?.toLowerCase();
  return name === 'whatsapp' || name === 'sms' ? name : 'other';
};

const positionOf = (lagMs: number): number => {
  if (lagMs < -CLOCKS_DIFFER_MS) return AT.early;
  const index = LAG_BOUNDS_S.findIndex((bound) => lagMs <= bound * 1_000);
  return AT.classes + (index === -1 ? LAG_BOUNDS_S.length : index);
};

// -- counting -----------------------------------------------------------------------------------------------------

export interface LagCounts {
  /** Counts a new event. */
  add(lane: Lane, event: Pick<Event, 'type' | 'channel' | 'occurredAt' | 'receivedAt' | 'data'>): void;
  stop(): Promise<void>;
}

export interface LagCountsOptions {
  readonly onError: (error: unknown) => void;
  /** Told of each lag that says something about Clickatell, in ms. */
  readonly onLag?: (lane: Lane, channel: LagChannel, lagMs: number) => void;
  readonly writeMs?: number;
}

export const createLagCounts = (store: Store, { onError, onLag, writeMs = WRITE_MS }: LagCountsOptions): LagCounts => {
  const pending = createPendingNumbers(SIZE, KEPT);
  /** By the name of the row: the keys of the time series are made once for all events of a second. */
  let rows = new Map<string, number[]>();
  const write = async (): Promise<void> => {
    const taken = rows;
    rows = new Map();
    for (const [name, numbers] of taken) pending.add({ prefix: PREFIX, name }, Date.now(), numbers);
    await pending.write(store);
  };
  const writing = writeRegularly(write, { everyMs: writeMs, onError });
  return {
    add: (lane, { type, channel: named, occurredAt, receivedAt, data }) => {
      const channel = channelOf(named);
      const statusClass = type === STATUS_TYPE ? String(data['class'] ?? 'unknown') : undefined;
      if (statusClass === 'read') return;
      const name = statusClass === undefined ? `${lane}/${channel}` : `${lane}/${channel}/${statusClass}`;
      const numbers = rows.get(name) ?? new Array<number>(SIZE).fill(0);
      rows.set(name, numbers);
      const occurredMs = occurredAt === null ? 0 : Date.parse(occurredAt);
      const lagMs = Date.parse(receivedAt) - occurredMs;
      const isUsable = occurredMs >= EARLIEST_MS && lagMs >= -FUTURE_MS;
      const at = isUsable ? positionOf(lagMs) : AT.unusable;
      numbers[at] = (numbers[at] ?? 0) + 1;
      if (isUsable) onLag?.(lane, channel, lagMs);
    },
    stop: () => writing.stop(),
  };
};

// -- reading ------------------------------------------------------------------------------------------------------

export interface LagRow {
  readonly lane: Lane;
  readonly channel: LagChannel;
  /** Of statuses; null for messages. */
  readonly class: string | null;
  /** Those with a time that says something. */
  readonly events: number;
  /** How many of them arrived more than a second before they occurred: the clocks differ. */
  readonly early: number;
  /** Others, whose time is missing, 0, in seconds, or in the future. */
  readonly unusable: number;
  /** Interpolated within its class; null without events. */
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
  /** How many lie in which class: below each bound of `LAG_BOUNDS_S`, then above them all. */
  readonly counts: readonly number[];
}

const rowOf = (name: string, numbers: readonly number[]): LagRow => {
  const [lane, channel, statusClass = null] = name.split('/') as [Lane, LagChannel, string?];
  const counts = Array.from({ length: LAG_BOUNDS_S.length + 1 }, (_, at) => numbers[AT.classes + at] ?? 0);
  const early = numbers[AT.early] ?? 0;
  return {
    lane,
    channel,
    class: statusClass,
    events: early + counts.reduce((sum, count) => sum + count, 0),
    early,
    unusable: numbers[AT.unusable] ?? 0,
    medianMs: shareMs(early, counts, 0.5),
    p95Ms: shareMs(early, counts, 0.95),
    counts,
  };
};

/** The lag that this share of the events does not exceed. What came early was not late. */
const shareMs = (early: number, counts: readonly number[], share: number): number | null => {
  const all = counts.reduce((sum, count) => sum + count, early);
  if (all === 0) return null;
  const wanted = Math.ceil(all * share);
  let below = early;
  if (below >= wanted) return 0;
  for (const [at, count] of counts.entries()) {
    if (below + count >= wanted) {
      const from = LAG_BOUNDS_S[at - 1] ?? 0;
      const to = LAG_BOUNDS_S[at] ?? from;
      return Math.round((from + ((to - from) * (wanted - below)) / count) * 1_000);
    }
    below += count;
  }
  return null;
};

const sumByName = (rows: readonly SeriesRow[]): LagRow[] =>
  [...Map.groupBy(rows, ({ name }) => name)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, same]) => rowOf(name, sumNumbers(same.map(({ numbers }) => numbers))));

/** How late a lane's events came, all channels and classes together. */
export type LaneLag = Pick<LagRow, 'events' | 'medianMs' | 'p95Ms'>;

export const laneLag = (rows: readonly LagRow[], lane: Lane): LaneLag => {
  const own = rows.filter((row) => row.lane === lane);
  const numbers = own.map(({ unusable, early, counts }) => [unusable, early, ...counts]);
  const { events, medianMs, p95Ms } = rowOf(`${lane}/other`, sumNumbers(numbers));
  return { events, medianMs, p95Ms };
};

export interface LagHour {
  /** When it begins, in ms. */
  readonly at: number;
  readonly rows: readonly LagRow[];
}

/** The last hours, the present one last, including those in which nothing came. */
export const readLagHours = async (store: Store, count: number, nowMs: number): Promise<LagHour[]> => {
  const last = stepStart('hour', nowMs);
  const first = last - (count - 1) * HOUR_MS;
  const [rows = []] = await readSeries(store, [PREFIX], { step: 'hour', fromMs: first, toMs: last + HOUR_MS });
  const byHour = Map.groupBy(rows, ({ at }) => at);
  return Array.from({ length: count }, (_, index) => first + index * HOUR_MS).map((at) => ({
    at,
    rows: sumByName(byHour.get(at) ?? []),
  }));
};

/** Hours together. */
export const sumLag = (hours: readonly LagHour[]): LagRow[] =>
  sumByName(
    hours.flatMap(({ at, rows }) =>
      rows.map(({ lane, channel, class: statusClass, unusable, early, counts }) => ({
        at,
        name: statusClass === null ? `${lane}/${channel}` : `${lane}/${channel}/${statusClass}`,
        numbers: [unusable, early, ...counts],
      })),
    ),
  );

/** The events of a lane in the last minutes, all channels and classes together. */
export const readRecentLag = async (
  store: Store,
  lane: Lane,
  { forMs, nowMs }: { forMs: number; nowMs: number },
): Promise<Pick<LagRow, 'events' | 'medianMs'>> => {
  const [rows = []] = await readSeries(store, [PREFIX], { step: 'minute', fromMs: nowMs - forMs, toMs: nowMs });
  const numbers = rows.filter(({ name }) => name.startsWith(`${lane}/`)).map((row) => row.numbers);
  return rowOf(`${lane}/other`, sumNumbers(numbers));
};
