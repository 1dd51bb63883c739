import {
  addLedgers,
  type DestinationLedger,
  type Difference,
  deliveryId,
  type Ledger,
  MOST_DIFFERING,
  SHARDS,
} from '@clickrelay/core';
import type { Result } from 'ioredis';
import { listDestinations, listLiving } from '../destinations/destinations.ts';
import { listHolds } from '../destinations/holds.ts';
import { jobOfClaim } from '../jobs/keys.ts';
import { type KeptState, STATE_LUA, stateOf } from '../log/delivery-states.ts';
import { RECORD_LUA } from '../log/event-record.ts';
import { destinationQueue, eventKeys, queueKey, shardKeys } from '../redis/names.ts';
import { sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';

/*
 * Was anything never delivered? For every event that the log has, its record says where it was routed to, the hash beside
 * it how far each delivery is, and the destination's queue whether anybody will go on with it. These three are written
 * apart, so they can be held against each other; nothing here is a counter, which could drift.
 *
 * A delivery is in exactly one column. One that is not delivered, has no job and no open ingest group either is in
 * `unaccounted`: nobody will ever send it. Whatever was read while it changed is looked at once more before that is said.
 */

/** The ledger of a part of the log. */
export interface LedgerPart extends Ledger {
  /** Share of the log that was walked, this part included, 0 to 1. */
  readonly progress: number;
  /** Where the next part begins; null at the end. */
  readonly next: string | null;
}

export interface LedgerOptions {
  readonly from?: Date | undefined;
  /** @default now */
  readonly to?: Date | undefined;
  /** Only this one. */
  readonly destinationId?: string | undefined;
}

export interface LedgerPartOptions extends LedgerOptions {
  /** `next` of the part before; with the same options. */
  readonly cursor?: string | undefined;
  /** About how many events one part may look at. @default 100000 */
  readonly maxEvents?: number | undefined;
  /** About how long it may take, in ms. @default 2000 */
  readonly maxMs?: number | undefined;
}

/** Nobody else is served while a script runs: two or three milliseconds. */
const BATCH = 250;
/** What is marked as owed has its job within this time, in ms, unless its process died. */
const DOUBT_MS = 250;

/*
 * One batch of one shard, oldest first.
 *
 * KEYS: log. ARGV: key prefix, lowest score, highest score, batch, destinations as JSON object: of each the score from
 * which on it was there; the only destination asked for, or nothing.
 * Answers: events, those of them without a route, last score looked at (nil at the end), of each destination its id, how
 * many are delivered and how many were removed; of each other delivery event id, claim, destination, state, whether
 * it was tried, and whether it was meant for an earlier destination of the same name.
 */
const LEDGER_SCRIPT = `
${RECORD_LUA}${STATE_LUA}
local limit = tonumber(ARGV[4])
local entries = redis.call('ZRANGE', KEYS[1], ARGV[2], ARGV[3], 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
local living, only = cjson.decode(ARGV[5]), ARGV[6]
local last = false
if #entries == limit * 2 then
  -- Those of one microsecond must not be torn apart.
  last = entries[#entries]
  while entries[#entries] == last do
    entries[#entries] = nil
    entries[#entries] = nil
  end
  for _, id in ipairs(redis.call('ZRANGE', KEYS[1], last, last, 'BYSCORE')) do
    entries[#entries + 1] = id
    entries[#entries + 1] = last
  end
end
local events, unrouted, counts, order, others = 0, 0, {}, {}, {}
local function count(destination, column)
  local row = counts[destination]
  if not row then
    row = {0, 0}
    counts[destination] = row
    order[#order + 1] = destination
  end
  row[column] = row[column] + 1
end
for i = 1, #entries, 2 do
  local id, score = entries[i], tonumber(entries[i + 1])
  local record = ARGV[1] .. ':' .. id
  local text = redis.call('GETRANGE', record, 0, 1023)
  if text ~= '' then
    local lineEnd = string.find(text, '\\n', 1, true)
    if not lineEnd then
      text = redis.call('GETRANGE', record, 0, -1)
      lineEnd = string.find(text, '\\n', 1, true)
    end
    local line = cjson.decode(string.sub(text, 2, lineEnd - 1))
    local settled = string.sub(text, 1, 1) == RECORD.ended
    local states, tried, routes = {}, {}, {}
    local function add(destination)
      if states[destination] == nil then
        states[destination] = ''
        routes[#routes + 1] = destination
      end
    end
    for _, destination in ipairs(line[RECORD.routes]) do add(destination) end
    if not settled then
      for _, field in ipairs(redis.call('HKEYS', record .. ':d')) do
        local mark = string.find(field, '#', 1, true)
        if mark then tried[string.sub(field, 1, mark - 1)] = 1
        else
          add(field)
          states[field] = redis.call('HGET', record .. ':d', field)
        end
      end
    end
    events = events + 1
    if #routes == 0 then unrouted = unrouted + 1 end
    for _, destination in ipairs(routes) do
      if only == '' or only == destination then
        local state, since = states[destination], living[destination]
        local earlier = since and score < since
        if state == STATE.delivered then count(destination, 1)
        elseif state == STATE.given_up or not since then count(destination, 2)
        elseif state == '' and earlier then count(destination, 2)
        elseif settled then count(destination, 1)
        else
          for _, value in ipairs({id, line[RECORD.claim], destination, state, tried[destination] or 0, earlier and 1 or 0}) do
            others[#others + 1] = value
          end
        end
      end
    end
  end
end
local flat = {}
for _, destination in ipairs(order) do
  flat[#flat + 1] = destination
  flat[#flat + 1] = counts[destination][1]
  flat[#flat + 1] = counts[destination][2]
end
return {events, unrouted, last, flat, others}`;

/* KEYS: failed jobs. ARGV: key prefix of jobs, then event ids. Of each 0: no job, 1: a job, 2: a dead letter. */
const JOBS_SCRIPT = `
local found = {}
for at = 2, #ARGV do
  if redis.call('ZSCORE', KEYS[1], ARGV[at]) then found[at - 1] = 2
  else found[at - 1] = redis.call('EXISTS', ARGV[1] .. ARGV[at]) end
end
return found`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    readLedgerBatch(
      log: string,
      ...args: (string | number)[]
    ): Result<[number, number, string | null, (string | number)[], (string | number)[]], Context>;
    findDeliveryJobs(failed: string, ...args: string[]): Result<number[], Context>;
  }
}

type Column = 'delivered' | 'pending' | 'parked' | 'dead' | 'removed' | 'unaccounted';

/** A delivery that is not simply delivered. */
interface Open {
  readonly eventId: string;
  readonly claim: string;
  readonly destinationId: string;
  /** Undefined when it was never queued. */
  readonly state: KeptState | undefined;
  readonly wasTried: boolean;
  readonly isOfEarlier: boolean;
}

type Row = { -readonly [Key in keyof Omit<DestinationLedger, 'differing'>]: DestinationLedger[Key] } & {
  readonly differing: Difference[];
};

const newRow = (id: string): Row => ({
  id,
  accepted: 0,
  delivered: 0,
  pending: 0,
  retrying: 0,
  parked: 0,
  dead: 0,
  removed: 0,
  unaccounted: 0,
  differing: [],
});

/** Rows by destination, made when they are needed. */
const createRows = () => {
  const rows = new Map<string, Row>();
  const of = (id: string): Row => {
    const row = rows.get(id) ?? newRow(id);
    rows.set(id, row);
    return row;
  };
  return {
    of,
    count: (id: string, column: Column, by = 1): Row => {
      const row = of(id);
      row.accepted += by;
      row[column] += by;
      return row;
    },
    list: (): Row[] => [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
};

const PROBLEMS: Partial<Record<KeptState, Difference['problem']>> = {
  pending: 'no_job',
  dead_letter: 'no_dead_letter',
};

const encodeCursor = (to: number, shard: number, after: string): string => `${to}.${shard}.${after}`;
const CURSOR = /^(\d{1,17})\.(\d{1,2})\.(\d{1,17})?$/;

/**
 * The ledger of a part of the log, of bounded work.
 *
 * @param options The same for every part but the cursor.
 */
export const readLedgerPart = async (store: Store, options: LedgerPartOptions): Promise<LedgerPart> => {
  const { from, destinationId = '', maxEvents = 100_000, maxMs = 2_000 } = options;
  const { redis } = store;
  redis.defineCommand('readLedgerBatch', { numberOfKeys: 1, lua: LEDGER_SCRIPT });
  redis.defineCommand('findDeliveryJobs', { numberOfKeys: 1, lua: JOBS_SCRIPT });
  const [, toText, shardText = '0', afterText] = CURSOR.exec(options.cursor ?? '') ?? [];
  const [seconds, micros] = await redis.time();
  const now = Number(seconds) * 1_000_000 + Number(micros);
  // Fixed with the first part: what is logged meanwhile is none of this ledger's.
  const to = Number(toText ?? Math.min(options.to ? options.to.getTime() * 1_000 : now, now));
  const fromScore = from ? from.getTime() * 1_000 : 0;
  const deadline = performance.now() + maxMs;

  const living = JSON.stringify(Object.fromEntries(await listLiving(store)));
  const parked = await listParked(store);
  const rows = createRows();
  const doubts: Open[] = [];
  let events = 0;
  let unrouted = 0;
  let shard = Number(shardText);
  let after: string | undefined = afterText;
  while (shard < SHARDS && events < maxEvents && performance.now() < deadline) {
    const { prefix, log } = shardKeys(shard);
    const lowest = after === undefined ? fromScore : `(${after}`;
    const [some, unwanted, last, counts, open] = await redis.readLedgerBatch(
      log,
      prefix,
      lowest,
      `(${to}`,
      BATCH,
      living,
      destinationId,
    );
    events += some;
    unrouted += unwanted;
    for (let at = 0; at < counts.length; at += 3) {
      rows.count(counts[at] as string, 'delivered', counts[at + 1] as number);
      rows.count(counts[at] as string, 'removed', counts[at + 2] as number);
    }
    doubts.push(...(await judge(store, decodeOpen(open), { rows, parked, isLast: false })));
    if (last === null) {
      shard++;
      after = undefined;
    } else after = last;
  }
  if (doubts.length > 0) {
    await new Promise((resolve) => setTimeout(resolve, DOUBT_MS));
    await judge(store, await readAgain(store, doubts, rows), { rows, parked, isLast: true });
  }

  const isEnd = shard >= SHARDS;
  const destinations = rows.list();
  return {
    from: from?.toISOString() ?? null,
    to: new Date(to / 1_000).toISOString(),
    events,
    unrouted,
    completeSince: await readCompleteSince(store),
    balanced: destinations.every(({ unaccounted }) => unaccounted === 0),
    destinations,
    progress: isEnd ? 1 : shard / SHARDS,
    next: isEnd ? null : encodeCursor(to, shard, after ?? ''),
  };
};

const decodeOpen = (flat: readonly (string | number)[]): Open[] => {
  const open: Open[] = [];
  for (let at = 0; at < flat.length; at += 6) {
    const [eventId, claim, destinationId, state, tried, earlier] = flat.slice(at, at + 6);
    open.push({
      eventId: String(eventId),
      claim: String(claim),
      destinationId: String(destinationId),
      state: stateOf(String(state)),
      wasTried: tried === 1,
      isOfEarlier: earlier === 1,
    });
  }
  return open;
};

/** Destinations that are paused, or whose breaker is open. */
const listParked = async (store: Store): Promise<ReadonlySet<string>> => {
  const [destinations, holds] = await Promise.all([listDestinations(store), listHolds(store, Date.now())]);
  const parked = destinations.filter(({ id, paused }) => paused !== null || holds.get(id)?.reason === 'failing');
  return new Set(parked.map(({ id }) => id));
};

/**
 * Puts each delivery into its column, by its state and its job.
 * @param isLast Whether what nobody will go on with is a difference; else it is given back, to be read again.
 */
const judge = async (
  store: Store,
  open: readonly Open[],
  { rows, parked, isLast }: { rows: ReturnType<typeof createRows>; parked: ReadonlySet<string>; isLast: boolean },
): Promise<Open[]> => {
  const jobs = await findJobs(store, open);
  const isOpenGroup = await findOpenGroups(
    store,
    open.filter((one) => jobs.get(one) === 0),
  );
  const doubts: Open[] = [];
  for (const one of open) {
    const { destinationId, eventId, state, wasTried, isOfEarlier, claim } = one;
    const job = jobs.get(one);
    if (job === 2 || (job === 1 && state === 'dead_letter')) rows.count(destinationId, 'dead');
    else if (job === 1 || isOpenGroup(claim)) {
      const row = rows.count(destinationId, parked.has(destinationId) ? 'parked' : 'pending');
      if (wasTried) row.retrying++;
    } else if (isOfEarlier) rows.count(destinationId, 'removed');
    else if (!isLast) doubts.push(one);
    else {
      const { differing } = rows.count(destinationId, 'unaccounted');
      const problem = (state && PROBLEMS[state]) ?? 'never_queued';
      if (differing.length < MOST_DIFFERING) {
        differing.push({ deliveryId: deliveryId(eventId, destinationId), eventId, problem });
      }
    }
  }
  return doubts;
};

/** Of each delivery 0: no job, 1: a job, 2: a dead letter. */
const findJobs = async (store: Store, open: readonly Open[]): Promise<Map<Open, number>> => {
  const found = new Map<Open, number>();
  for (const [id, ofDestination] of Map.groupBy(open, ({ destinationId }) => destinationId)) {
    const key = queueKey(destinationQueue(id));
    for (let at = 0; at < ofDestination.length; at += BATCH) {
      const some = ofDestination.slice(at, at + BATCH);
      const codes = await store.redis.findDeliveryJobs(
        `${key}:failed`,
        `${key}:`,
        ...some.map(({ eventId }) => eventId),
      );
      for (const [index, one] of some.entries()) found.set(one, codes[index] ?? 0);
    }
  }
  return found;
};

/** Whether the group of callbacks that logged an event is still under way: it comes back until it is done. */
const findOpenGroups = async (store: Store, open: readonly Open[]): Promise<(claim: string) => boolean> => {
  const claims = [...new Set(open.map(({ claim }) => claim))];
  const groups = claims.flatMap((claim) => {
    const job = jobOfClaim(claim);
    return job === undefined ? [] : [{ claim, job }];
  });
  const replies = await sendAll(
    store,
    groups.map(({ job }) => ['exists', job]),
  );
  const there = new Set(groups.filter((_, index) => replies[index] === 1).map(({ claim }) => claim));
  return (claim) => there.has(claim);
};

/** The states of deliveries as they are now; those that have ended well meanwhile are counted. */
const readAgain = async (
  store: Store,
  doubts: readonly Open[],
  rows: ReturnType<typeof createRows>,
): Promise<Open[]> => {
  const still: Open[] = [];
  for (let at = 0; at < doubts.length; at += BATCH) {
    const some = doubts.slice(at, at + BATCH);
    // The job first: one that ends between the two has said so when its state is read.
    const jobs = await findJobs(store, some);
    const states = await sendAll(
      store,
      some.map(({ eventId, destinationId }) => ['hget', eventKeys(eventId).deliveries, destinationId]),
    );
    for (const [index, one] of some.entries()) {
      const state = stateOf(states[index] as string | null);
      if (jobs.get(one) === 0 && state === 'delivered') rows.count(one.destinationId, 'delivered');
      else if (jobs.get(one) === 0 && state === 'given_up') rows.count(one.destinationId, 'removed');
      else still.push({ ...one, state });
    }
  }
  return still;
};

const readCompleteSince = async (store: Store): Promise<string | null> => {
  const removed = await sendAll(
    store,
    Array.from({ length: SHARDS }, (_, shard) => ['get', shardKeys(shard).removedUntil] as const),
  );
  const last = Math.max(...removed.map((micros) => Number(micros ?? 0)));
  return last === 0 ? null : new Date(Math.ceil((last + 1) / 1_000)).toISOString();
};

/** The whole ledger of a time, part by part: for a metric. 100,000 events take Redis about a second, in steps of two or three milliseconds. */
export const readLedger = async (store: Store, options: LedgerOptions = {}): Promise<Ledger> => {
  const parts: LedgerPart[] = [];
  for (let cursor: string | null | undefined; cursor !== null; cursor = parts.at(-1)?.next ?? null) {
    parts.push(await readLedgerPart(store, { ...options, cursor }));
  }
  return addLedgers(parts);
};
