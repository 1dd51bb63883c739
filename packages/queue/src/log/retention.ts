import { SHARDS } from '@clickrelay/core';
import { listLiving } from '../destinations/destinations.ts';
import { readMemory } from '../redis/memory.ts';
import { REGISTRY, shardKeys } from '../redis/names.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { STATE_LUA } from './delivery-states.ts';
import { RECORD_LUA } from './event-record.ts';
import { unindexEvents } from './message-index.ts';

export interface Retention {
  /** How long events stay in the log, in ms. */
  readonly eventsMs: number;
  /** How much they may take all together; the oldest go first. */
  readonly eventBytes: number;
  /** How long the attempts of finished deliveries stay, in ms. */
  readonly deliveriesMs: number;
}

/** However full the log is: an event this young may not have been routed yet. */
const YOUNGEST_MS = 60_000;
const BATCH = 500;

/*
 * One batch of one shard, oldest first. An event that a living destination still wants stays whatever its age: `q`
 * pending, `x` dead letter, or routed to it and nothing known of the delivery. Of one that is owed to nobody the flag is
 * set when its deliveries go, so that the ledger need not take their absence for a loss.
 *
 * KEYS: log, bytes, unindex, removed until. ARGV: key prefix, begin after this score, may go below this score, bytes to
 * keep, attempts go below this score, never touch from this score on, batch, destinations as JSON object: of each the
 * score from which on it was there.
 * Answers: how many were removed, the last score looked at (nil at the end), what is to be removed from the message index.
 */
const TRIM_SCRIPT = `
${RECORD_LUA}${STATE_LUA}
local entries = redis.call('ZRANGE', KEYS[1], '(' .. ARGV[2], '(' .. ARGV[6], 'BYSCORE', 'LIMIT', 0, ARGV[7], 'WITHSCORES')
local living = cjson.decode(ARGV[8])
local bytes = tonumber(redis.call('GET', KEYS[2]) or '0')
local removed, last = 0, false
if #entries == tonumber(ARGV[7]) * 2 then last = entries[#entries] end
for i = 1, #entries, 2 do
  local id, score = entries[i], tonumber(entries[i + 1])
  local expired = score < tonumber(ARGV[3]) or bytes > tonumber(ARGV[4])
  if not expired and score >= tonumber(ARGV[5]) then
    last = false
    break
  end
  local record = ARGV[1] .. ':' .. id
  local settled = redis.call('GETRANGE', record, 0, 0) == RECORD.ended
  if expired or not settled then
    local text = redis.call('GETRANGE', record, 1, 1023)
    local lineEnd = string.find(text, '\\n', 1, true)
    if not lineEnd then
      text = redis.call('GETRANGE', record, 1, -1)
      lineEnd = string.find(text, '\\n', 1, true)
    end
    local line = lineEnd and cjson.decode(string.sub(text, 1, lineEnd - 1)) or {}
    local owed = false
    if not settled then
      local known = {}
      local fields = redis.call('HGETALL', record .. ':d')
      for f = 1, #fields, 2 do
        known[fields[f]] = true
        if (fields[f + 1] == STATE.pending or fields[f + 1] == STATE.dead_letter) and living[fields[f]] then owed = true end
      end
      for _, destination in ipairs(line[RECORD.routes] or {}) do
        if not known[destination] and living[destination] and score >= living[destination] then owed = true end
      end
    end
    if not owed then
      redis.call('DEL', record .. ':d')
      if expired then
        local size = redis.call('STRLEN', record)
        if line[RECORD.pieces] then
          redis.call('UNLINK', record .. ':p:' .. line[RECORD.pieces][PIECES.suffix])
          size = size + line[RECORD.pieces][PIECES.bytes]
        end
        bytes = redis.call('DECRBY', KEYS[2], size)
        redis.call('DEL', record, record .. ':r')
        redis.call('ZREM', KEYS[1], id)
        if line[RECORD.addresses] and line[RECORD.addresses] ~= '' then redis.call('SADD', KEYS[3], id .. line[RECORD.addresses]) end
        if score > tonumber(redis.call('GET', KEYS[4]) or '0') then redis.call('SET', KEYS[4], entries[i + 1]) end
        removed = removed + 1
      elseif lineEnd then
        redis.call('SETRANGE', record, 0, RECORD.ended)
      end
    end
  end
end
return {removed, last, redis.call('SMEMBERS', KEYS[3])}`;

/** What the log holds in bytes, all shards together. */
export const readLogBytes = async (store: Store): Promise<{ total: number; perShard: number[] }> => {
  const counters = Array.from({ length: SHARDS }, (_, shard): RedisCommand => ['get', shardKeys(shard).bytes]);
  const perShard = (await sendAll(store, counters)).map((value) => Number(value ?? 0));
  return { total: perShard.reduce((sum, bytes) => sum + bytes, 0), perShard };
};

/** Share of `maxmemory` from which on the log gives way: well before callbacks are refused. */
const FILLING = 0.8;

/** What the log may hold so that a Redis which fills up does not get full: events that are owed stay all the same. */
const bytesWhileFilling = async (store: Store, logBytes: number): Promise<number> => {
  const { share } = await readMemory(store);
  return share < FILLING ? Number.POSITIVE_INFINITY : logBytes * (1 - GIVEN_AT_ONCE);
};

/** Of what it holds, each time. */
const GIVEN_AT_ONCE = 0.2;

/** Removes what is past its time. @returns How many events went. */
export const trimEventLog = async (store: Store, retention: Retention, nowMs: number): Promise<number> => {
  // An empty JSON object would be an array to cjson, which does as well.
  const living = JSON.stringify(Object.fromEntries(await listLiving(store)));
  const { total, perShard } = await readLogBytes(store);
  // Each shard gives the same share, so that the log ends at about the same age everywhere.
  const allowed = Math.min(retention.eventBytes, await bytesWhileFilling(store, total));
  const keep = total > allowed ? allowed / total : Number.POSITIVE_INFINITY;
  let removed = 0;
  for (let shard = 0; shard < SHARDS; shard++) {
    const { prefix, log, bytes, unindex, removedUntil } = shardKeys(shard);
    const bytesToKeep = Number.isFinite(keep) ? Math.floor((perShard[shard] ?? 0) * keep) : Number.MAX_SAFE_INTEGER;
    let after: string | null = '-1';
    while (after !== null) {
      const reply = (await store.redis.eval(
        TRIM_SCRIPT,
        4,
        log,
        bytes,
        unindex,
        removedUntil,
        prefix,
        after,
        (nowMs - retention.eventsMs) * 1_000,
        bytesToKeep,
        (nowMs - retention.deliveriesMs) * 1_000,
        (nowMs - YOUNGEST_MS) * 1_000,
        BATCH,
        living,
      )) as [number, string | null, string[]];
      removed += reply[0];
      after = reply[1];
      await unindexEvents(store, shard, reply[2]);
    }
  }
  return removed;
};

/** How often the memory of Redis is looked at. */
const LOOK_MS = 5_000;

/** Trims now and then, sooner while Redis fills up, in one process at a time. */
export const startRetention = (
  store: Store,
  retention: Retention,
  { everyMs = 60_000, onError }: { everyMs?: number; onError: (error: unknown) => void },
): { stop(): void } => {
  const lookMs = Math.min(everyMs, LOOK_MS);
  let lastAt = Date.now();
  const timer = setInterval(async () => {
    try {
      const isDue = Date.now() - lastAt >= everyMs;
      if (!isDue && (await readMemory(store)).share < FILLING) return;
      if (isDue) lastAt = Date.now();
      const [turn, forMs] = isDue ? ['trimming', everyMs] : ['giving-way', lookMs];
      const mine = await store.redis.set(`${REGISTRY}:${turn}`, '1', 'PX', Math.ceil(forMs * 0.9), 'NX');
      if (mine !== null) await trimEventLog(store, retention, Date.now());
    } catch (error) {
      onError(error);
    }
  }, lookMs);
  return { stop: () => clearInterval(timer) };
};
