import { type Lane, SHARDS } from '@clickrelay/core';
import { LANES, laneOfClaim, shardKeys } from '../redis/names.ts';
import { fieldsOf, type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';

/*
 * How many callbacks came in, how many events they held and how many elements were repetitions: counted by the script
 * that logs the events (see ../log/append.ts), so that what is counted is what is logged, whatever dies in between. By the
 * server's clock, in each minute for a day, and in each hour for a month.
 *
 * A field is the minute of the hour, or the hour of the day, then the lane and what is counted: `7mc`. On a single
 * server all counts are under the first tag; on a Cluster each is under the tag of what it counts.
 */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
/** Of minutes this much is there at any time. */
export const MINUTES_KEPT_MS = 25 * HOUR_MS;
export const HOURS_KEPT_MS = 32 * DAY_MS;

/** Prefix of the keys of one tag, as the script makes them. */
export const countsPrefix = (shard: number): string => `${shardKeys(shard).prefix}:`;

export const laneLetter = (claim: string): string => LETTERS[laneOfClaim(claim)];
const LETTERS: Readonly<Record<Lane, string>> = { messages: 'm', statuses: 's' };

/** For scripts: `countIntake(prefix, lane, now, counts)`, with the time in microseconds. */
export const COUNT_INTAKE = `
local function addToCount(key, expires, field, by)
  if by > 0 and redis.call('HINCRBY', key, field, by) == by and redis.call('TTL', key) < 0 then
    redis.call('EXPIRE', key, expires)
  end
end
local function countIntake(prefix, lane, now, counts)
  local minute = math.floor(now / 60000000)
  local hour = math.floor(minute / 60)
  if counts.callbacks > 0 then
    local seen = prefix .. 'in:seen'
    if redis.call('HSET', seen, lane .. 'l', string.format('%.0f', now)) == 1 then
      redis.call('HSET', seen, lane .. 'f', string.format('%.0f', now))
    end
  end
  for _, kind in ipairs({{'c', counts.callbacks}, {'e', counts.events}, {'r', counts.repeats}}) do
    addToCount(string.format('%sin:h%d', prefix, hour), ${(MINUTES_KEPT_MS + 2 * HOUR_MS) / 1_000},
      string.format('%d', minute % 60) .. lane .. kind[1], kind[2])
    addToCount(string.format('%sin:d%d', prefix, math.floor(hour / 24)), ${(HOURS_KEPT_MS + 2 * DAY_MS) / 1_000},
      string.format('%d', hour % 24) .. lane .. kind[1], kind[2])
  end
end
`;

/* KEYS: mark that this claim is counted. ARGV: prefix of the counts, callbacks, repetitions, lane. */
const ALONE_SCRIPT = `${COUNT_INTAKE}
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ${DAY_MS / 1_000}) then return end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
countIntake(ARGV[1], ARGV[4], now, { callbacks = tonumber(ARGV[2]), events = 0, repeats = tonumber(ARGV[3]) })`;

/** Callbacks and repetitions of a group without an event that they could be counted with. */
export const countIntakeAlone = async (
  store: Store,
  claim: string,
  { callbacks, repeats }: { callbacks: number; repeats: number },
): Promise<void> => {
  const prefix = countsPrefix(0);
  await store.redis.eval(ALONE_SCRIPT, 1, `${prefix}counted:${claim}`, prefix, callbacks, repeats, laneLetter(claim));
};

export interface IntakeCounts {
  /** Callbacks that were split. */
  readonly callbacks: number;
  /** Events that were new. */
  readonly events: number;
  /** Elements that are the same fact as an event before: Clickatell sent it again. */
  readonly repeats: number;
}

interface IntakeSpan extends Readonly<Record<Lane, IntakeCounts>> {
  /** ISO 8601. */
  readonly at: string;
}

export interface Intake {
  /** The span that was counted: whole minutes, or whole hours where minutes are not known any more. */
  readonly from: string;
  readonly to: string;
  readonly step: 'minute' | 'hour';
  /** Oldest first; those in which nothing came are left out. */
  readonly spans: readonly IntakeSpan[];
}

export interface IntakeOptions {
  /** @default as long ago as is known */
  readonly from?: Date | undefined;
  /** @default now */
  readonly to?: Date | undefined;
  /** @default `minute` where minutes are known */
  readonly step?: 'minute' | 'hour' | undefined;
}

const STEPS = {
  minute: {
    stepMs: MINUTE_MS,
    hashMs: HOUR_MS,
    keyOf: (shard: number, at: number) => shardKeys(shard).intakeOfHour(at),
  },
  hour: { stepMs: HOUR_MS, hashMs: DAY_MS, keyOf: (shard: number, at: number) => shardKeys(shard).intakeOfDay(at) },
} as const;

/** What came in during a time. The steps that it begins and ends in are counted whole. */
export const readIntake = async (store: Store, options: IntakeOptions, nowMs: number): Promise<Intake> => {
  const fromMs = Math.max(options.from?.getTime() ?? 0, nowMs - HOURS_KEPT_MS);
  const toMs = Math.min(options.to?.getTime() ?? nowMs, nowMs);
  const knowsMinutes = fromMs >= nowMs - MINUTES_KEPT_MS;
  const step = knowsMinutes ? (options.step ?? 'minute') : 'hour';
  const { stepMs, hashMs, keyOf } = STEPS[step];
  const first = Math.floor(fromMs / stepMs) * stepMs;
  const end = Math.max(Math.ceil(toMs / stepMs) * stepMs, first + stepMs);

  const commands: RedisCommand[] = [];
  const hashes: number[] = [];
  for (let hash = Math.floor(first / hashMs); hash * hashMs < end; hash++) {
    for (let shard = 0; shard < (store.isCluster ? SHARDS : 1); shard++) {
      commands.push(['hgetall', keyOf(shard, hash)]);
      hashes.push(hash);
    }
  }
  const spans = new Map<number, Record<Lane, { callbacks: number; events: number; repeats: number }>>();
  for (const [index, reply] of (await sendAll(store, commands)).entries()) {
    for (const [field, value] of Object.entries(fieldsOf(reply))) {
      const [, place, letter, kind] = /^(\d+)([ms])([cer])$/.exec(field) ?? [];
      const at = (hashes[index] as number) * hashMs + Number(place) * stepMs;
      const lane = LANES.find((one) => LETTERS[one] === letter);
      if (lane === undefined || at < first || at >= end) continue;
      const span = spans.get(at) ?? { messages: nothing(), statuses: nothing() };
      spans.set(at, span);
      span[lane][KINDS[kind as keyof typeof KINDS]] += Number(value);
    }
  }
  return {
    from: new Date(first).toISOString(),
    to: new Date(end).toISOString(),
    step,
    spans: [...spans].sort(([a], [b]) => a - b).map(([at, lanes]) => ({ at: new Date(at).toISOString(), ...lanes })),
  };
};

/** All spans together. */
export const sumIntake = ({ spans }: Pick<Intake, 'spans'>): Readonly<Record<Lane, IntakeCounts>> => {
  const sum = { messages: nothing(), statuses: nothing() };
  for (const span of spans) {
    for (const lane of LANES) {
      for (const kind of Object.values(KINDS)) sum[lane][kind] += span[lane][kind];
    }
  }
  return sum;
};

const KINDS = { c: 'callbacks', e: 'events', r: 'repeats' } as const;

const nothing = () => ({ callbacks: 0, events: 0, repeats: 0 });

export interface Heard {
  /** When callbacks of this lane came for the first and for the last time, ISO 8601; null for never. */
  readonly firstAt: string | null;
  readonly lastAt: string | null;
}

export const readHeard = async (store: Store): Promise<Readonly<Record<Lane, Heard>>> => {
  const replies = await sendAll(
    store,
    Array.from(
      { length: store.isCluster ? SHARDS : 1 },
      (_, shard) => ['hgetall', shardKeys(shard).intakeSeen] as const,
    ),
  );
  const all = replies.map((reply) => new Map(Object.entries(fieldsOf(reply))));
  const heard = (lane: Lane): Heard => {
    const times = (field: string) => all.flatMap((fields) => Number(fields.get(LETTERS[lane] + field) ?? []) || []);
    const [first, last] = [times('f'), times('l')];
    const toIso = (micros: number) => new Date(micros / 1_000).toISOString();
    return {
      firstAt: first.length === 0 ? null : toIso(Math.min(...first)),
      lastAt: last.length === 0 ? null : toIso(Math.max(...last)),
    };
  };
  return { messages: heard('messages'), statuses: heard('statuses') };
};
