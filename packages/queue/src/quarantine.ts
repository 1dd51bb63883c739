import { createHash } from 'node:crypto';
import { parseCallback, QuarantineFullError, QueueUnavailableError } from '@clickrelay/core';

import { createCommitter } from './commit.ts';
import type { Page } from './event-log.ts';
import { QUARANTINE } from './names.ts';
import type { Store } from './store.ts';

/** An authentic callback that could not be parsed, kept as it came. */
export interface Quarantined {
  /** `qrt_` and a hash of the bytes: the same body sent again is the same entry. */
  readonly id: string;
  readonly receivedAt: string;
  readonly reason: string;
  readonly bytes: number;
}

/** When either is reached the sender is told 422, and someone should look. */
const LIMITS = { maxCallbacks: 10_000, maxBytes: 256 * 1024 * 1024 };

const LOG = `${QUARANTINE}:log`;
const TOTAL_BYTES = `${QUARANTINE}:bytes`;
/** Keys of ours that are no entries look otherwise. */
const ID = /^qrt_[\w-]{22}$/;
const entryKey = (id: string): string => `${QUARANTINE}:${id}`;

/* KEYS: log, bytes, entry. ARGV: id, ms, reason, body, max callbacks, max bytes. Answers 0 when full. */
const PUT_SCRIPT = `
if redis.call('EXISTS', KEYS[3]) == 1 then return 1 end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[5]) then return 0 end
if tonumber(redis.call('GET', KEYS[2]) or '0') + #ARGV[4] > tonumber(ARGV[6]) then return 0 end
redis.call('HSET', KEYS[3], 'at', ARGV[2], 'reason', ARGV[3], 'body', ARGV[4])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('INCRBY', KEYS[2], #ARGV[4])
return 1`;

/* KEYS: log, bytes, entry. ARGV: id. */
const REMOVE_SCRIPT = `
local bytes = redis.call('HSTRLEN', KEYS[3], 'body')
if redis.call('DEL', KEYS[3]) == 0 then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DECRBY', KEYS[2], bytes)
return 1`;

/** The same body sent again has the same id. */
export const quarantineId = (body: Uint8Array): string =>
  `qrt_${createHash('sha256').update(body).digest('base64url').slice(0, 22)}`;

/**
 * Keeps a body; when this resolves it is on disk.
 * @param reason Why it could not be parsed; holds no message content.
 * @throws {QuarantineFullError}
 * @throws {QueueUnavailableError}
 */
export const quarantineCallback = async (
  store: Store,
  { body, reason, receivedAt }: { body: Uint8Array; reason: string; receivedAt: string },
  { maxCallbacks, maxBytes } = LIMITS,
): Promise<string> => {
  store.assertConnected();
  const id = quarantineId(body);
  let kept: unknown;
  try {
    kept = await store.durably(QUARANTINE, () =>
      store.redis.eval(
        PUT_SCRIPT,
        3,
        LOG,
        TOTAL_BYTES,
        entryKey(id),
        id,
        Date.parse(receivedAt),
        reason,
        Buffer.from(body.buffer, body.byteOffset, body.byteLength),
        maxCallbacks,
        maxBytes,
      ),
    );
  } catch (error) {
    if (error instanceof QueueUnavailableError) throw error;
    throw new QueueUnavailableError('Redis did not take the callback into quarantine; send it again', { cause: error });
  }
  if (kept === 0) {
    throw new QuarantineFullError(
      `the quarantine is full (${maxCallbacks} callbacks or ${maxBytes} bytes); look at what is in it with \`clickrelay quarantine\` and remove it`,
    );
  }
  return id;
};

const readEntry = async (store: Store, id: string): Promise<(Quarantined & { body: Uint8Array }) | undefined> => {
  if (!ID.test(id)) return undefined;
  const [at, reason, body] = await store.redis.hmgetBuffer(entryKey(id), 'at', 'reason', 'body');
  if (!at || !reason || !body) return undefined;
  return {
    id,
    receivedAt: new Date(Number(at.toString())).toISOString(),
    reason: reason.toString(),
    bytes: body.length,
    body,
  };
};

export const readQuarantined = readEntry;

/** A place in the list: time of arrival, then the id among those of the same millisecond. */
const CURSOR = /^(\d{1,15})\.(qrt_[\w-]{22})$/;

/** Newest first. */
export const listQuarantine = async (
  store: Store,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<Quarantined>> => {
  const [, lastAt = '+inf', lastId] = CURSOR.exec(cursor ?? '') ?? [];
  let places: { id: string; at: number }[] = [];
  // Those of the cursor's own millisecond are read again and skipped; Redis has the largest id first.
  for (let count = limit + 100; ; count *= 4) {
    const ids = await store.redis.zrevrangebyscore(LOG, lastAt, '-inf', 'LIMIT', 0, count);
    const scores = ids.length === 0 ? [] : await store.redis.zmscore(LOG, ...ids);
    places = ids
      .map((id, index) => ({ id, at: Number(scores[index]) }))
      .filter(({ id, at }) => lastId === undefined || at < Number(lastAt) || id < lastId);
    if (places.length > limit || ids.length < count) break;
  }
  const page = places.slice(0, limit);
  const items: Quarantined[] = [];
  for (const { id } of page) {
    const [at, reason] = await store.redis.hmget(entryKey(id), 'at', 'reason');
    // Removed in the meantime.
    if (!at) continue;
    const bytes = await store.redis.hstrlen(entryKey(id), 'body');
    items.push({ id, receivedAt: new Date(Number(at)).toISOString(), reason: reason ?? '', bytes });
  }
  const last = page.at(-1);
  return { items, next: places.length > limit && last ? `${last.at}.${last.id}` : null };
};

export const countQuarantined = (store: Store): Promise<number> => store.redis.zcard(LOG);

/** How many there are, and what they take together. */
export const readQuarantine = async (store: Store): Promise<{ callbacks: number; bytes: number }> => {
  const [callbacks, bytes] = await Promise.all([countQuarantined(store), store.redis.get(TOTAL_BYTES)]);
  return { callbacks, bytes: Number(bytes) };
};

/** @returns false when there is none with this id. */
export const removeQuarantined = async (store: Store, id: string): Promise<boolean> =>
  ID.test(id) && (await store.redis.eval(REMOVE_SCRIPT, 3, LOG, TOTAL_BYTES, entryKey(id), id)) === 1;

/**
 * Tries a quarantined body again, for when a newer Clickrelay understands it: committed like any callback, then removed.
 * @throws {InvalidCallbackError} when it still cannot be parsed; it stays.
 */
export const reparseQuarantined = async (store: Store, id: string): Promise<{ accepted: number } | undefined> => {
  const entry = await readEntry(store, id);
  if (entry === undefined) return undefined;
  const { text, lane, eventCount } = parseCallback(entry.body);
  await createCommitter(store).commit({ text, lane }, entry.receivedAt);
  await removeQuarantined(store, id);
  return { accepted: eventCount };
};
