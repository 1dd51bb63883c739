import { createHash } from 'node:crypto';
import { parseCallback, QuarantineFullError, QueueUnavailableError, toIso } from '@clickrelay/core';
import { newSuffix, readLargeBytes, storeLarge } from '../redis/large-text.ts';
import { QUARANTINE } from '../redis/names.ts';
import { defineCursor, type Page } from '../redis/page.ts';
import { runScript, type Script } from '../redis/script.ts';
import {
  HASHED_AT_ONCE_BYTES,
  LARGE_TEXT_LENGTH,
  MAX_QUARANTINE_BYTES,
  MAX_QUARANTINED_CALLBACKS,
} from '../redis/size-limits.ts';
import type { Store } from '../redis/store.ts';
import { createCommitter } from './commit.ts';
import putQuarantinedLua from './put-quarantined.lua';

/** An authentic callback that could not be used (not parsed, or of an integration not on the list), kept unchanged. */
export interface Quarantined {
  /** `qrt_` and a hash of the bytes: the same body sent again is the same entry. */
  readonly id: string;
  readonly receivedAt: string;
  readonly reason: string;
  readonly bytes: number;
}

const LOG = `${QUARANTINE}:log`;
const TOTAL_BYTES = `${QUARANTINE}:bytes`;
/** The id of an entry: no other key under the same prefix has this form. */
const ID = /^qrt_[\w-]{22}$/;
const entryKey = (id: string): string => `${QUARANTINE}:${id}`;

const PUT: Script = { name: 'putQuarantined', lua: putQuarantinedLua };

const REMOVE: Script = {
  name: 'removeQuarantined',
  /*
   * KEYS: entries, bytes of all, entry, pieces of its body when it is large. ARGV: id of the entry, key of the pieces or
   * nothing. Returns 0 without an entry, -1 when its pieces are others.
   */
  lua: `
    if redis.call('EXISTS', KEYS[3]) == 0 then return 0 end
    if (redis.call('HGET', KEYS[3], 'large') or '') ~= ARGV[2] then return -1 end
    local bytes = redis.call('HGET', KEYS[3], 'bytes') or redis.call('HSTRLEN', KEYS[3], 'body')
    if KEYS[4] then redis.call('UNLINK', KEYS[4]) end
    redis.call('DEL', KEYS[3])
    redis.call('ZREM', KEYS[1], ARGV[1])
    redis.call('DECRBY', KEYS[2], bytes)
    return 1`,
};

/** The same body sent again has the same id. */
export const quarantineId = async (body: Uint8Array): Promise<string> => {
  const hash = createHash('sha256');
  for (let at = 0; at < body.length; at += HASHED_AT_ONCE_BYTES) {
    // Other callbacks have their turn in between.
    if (at > 0) await new Promise((resolve) => setImmediate(resolve));
    hash.update(body.subarray(at, at + HASHED_AT_ONCE_BYTES));
  }
  return `qrt_${hash.digest('base64url').slice(0, 22)}`;
};

interface QuarantineOptions {
  readonly maxCallbacks?: number;
  readonly maxBytes?: number;
  /** Wraps each step, to give it a deadline. @default waits as long as it takes */
  readonly inTime?: <T>(step: Promise<T>) => Promise<T>;
}

/**
 * Keeps a body. When this resolves, it is on disk.
 * @param reason Why it could not be used; holds no message content.
 * @throws {QuarantineFullError}
 * @throws {QueueUnavailableError}
 */
export const quarantineCallback = async (
  store: Store,
  { body, reason, receivedAt }: { body: Uint8Array; reason: string; receivedAt: string },
  {
    maxCallbacks = MAX_QUARANTINED_CALLBACKS,
    maxBytes = MAX_QUARANTINE_BYTES,
    inTime = (step) => step,
  }: QuarantineOptions = {},
): Promise<string> => {
  store.assertConnected();
  const id = await quarantineId(body);
  const isLarge = body.length > LARGE_TEXT_LENGTH;
  const piecesKey = `${entryKey(id)}:p:${newSuffix()}`;
  let kept: unknown;
  try {
    if (isLarge && (await inTime(isFullFor(store, id, body.length, { maxCallbacks, maxBytes })))) kept = 0;
    else {
      const pieces = isLarge ? (await storeLarge(store, piecesKey, body, inTime)).pieces : 0;
      const put = store.durably(QUARANTINE, () =>
        runScript(
          store.redis,
          PUT,
          [LOG, TOTAL_BYTES, entryKey(id), piecesKey],
          [
            id,
            Date.parse(receivedAt),
            reason,
            isLarge ? '' : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
            maxCallbacks,
            maxBytes,
            body.length,
            pieces,
          ],
        ),
      );
      kept = await inTime(put);
    }
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

/** Asked before a large body is written: one that is refused again and again must not fill the memory with pieces. */
const isFullFor = async (
  store: Store,
  id: string,
  bytes: number,
  { maxCallbacks, maxBytes }: { maxCallbacks: number; maxBytes: number },
): Promise<boolean> => {
  const [isThere, count, total] = await Promise.all([
    store.redis.exists(entryKey(id)),
    store.redis.zcard(LOG),
    store.redis.get(TOTAL_BYTES),
  ]);
  return isThere === 0 && (count >= maxCallbacks || Number(total ?? 0) + bytes > maxBytes);
};

/** An entry with its body. */
export const readQuarantined = async (
  store: Store,
  id: string,
): Promise<(Quarantined & { body: Uint8Array }) | undefined> => {
  if (!ID.test(id)) return undefined;
  const [at, reason, inEntry, key, pieces] = await store.redis.hmgetBuffer(
    entryKey(id),
    'at',
    'reason',
    'body',
    'large',
    'pieces',
  );
  if (!at || !reason || !inEntry) return undefined;
  const large = key && { key: key.toString(), pieces: Number(pieces) };
  const body = large ? await readLargeBytes(store, large) : inEntry;
  // The entry was removed in the meantime.
  if (body === undefined) return undefined;
  return {
    id,
    receivedAt: toIso(Number(at.toString())),
    reason: reason.toString(),
    bytes: body.length,
    body,
  };
};

/** A place in the list: time of arrival, then the id, for entries of the same millisecond. */
const CURSOR = defineCursor({ at: /\d{1,15}/, id: /qrt_[\w-]{22}/ });

export interface ListQuarantineOptions {
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Arrived at or after this time. */
  readonly since?: Date | undefined;
  /** Arrived before this time. */
  readonly until?: Date | undefined;
}

/** Newest first. */
export const listQuarantine = async (
  store: Store,
  { limit, cursor, since, until }: ListQuarantineOptions,
): Promise<Page<Quarantined>> => {
  const { at, id: lastId } = CURSOR.read(cursor) ?? {};
  const newest = until ? until.getTime() - 1 : Number.MAX_SAFE_INTEGER;
  const lastAt = at === undefined ? newest : Math.min(Number(at), newest);
  let places: { id: string; at: number }[] = [];
  // Entries of the cursor's own millisecond are read again and skipped; Redis gives the largest id first.
  for (let count = limit + 100; ; count *= 4) {
    const ids = await store.redis.zrevrangebyscore(LOG, lastAt, since?.getTime() ?? 0, 'LIMIT', 0, count);
    const scores = ids.length === 0 ? [] : await store.redis.zmscore(LOG, ...ids);
    places = ids
      .map((id, index) => ({ id, at: Number(scores[index]) }))
      .filter(({ id, at }) => lastId === undefined || at < Number(lastAt) || id < lastId);
    if (places.length > limit || ids.length < count) break;
  }
  const page = places.slice(0, limit);
  const items: Quarantined[] = [];
  for (const { id } of page) {
    const [at, reason, large] = await store.redis.hmget(entryKey(id), 'at', 'reason', 'bytes');
    // The entry was removed in the meantime.
    if (!at) continue;
    const bytes = large ? Number(large) : await store.redis.hstrlen(entryKey(id), 'body');
    items.push({ id, receivedAt: toIso(Number(at)), reason: reason ?? '', bytes });
  }
  const last = page.at(-1);
  return { items, next: places.length > limit && last ? CURSOR.write(last) : null };
};

export const countQuarantined = (store: Store): Promise<number> => store.redis.zcard(LOG);

/** How many entries there are, their bytes together, and how many of both there is room for. */
export const measureQuarantine = async (
  store: Store,
): Promise<{ callbacks: number; bytes: number; maxCallbacks: number; maxBytes: number }> => {
  const [callbacks, bytes] = await Promise.all([countQuarantined(store), store.redis.get(TOTAL_BYTES)]);
  return {
    callbacks,
    bytes: Number(bytes),
    maxCallbacks: MAX_QUARANTINED_CALLBACKS,
    maxBytes: MAX_QUARANTINE_BYTES,
  };
};

/** @returns false when there is none with this id. */
export const removeQuarantined = async (store: Store, id: string): Promise<boolean> => {
  if (!ID.test(id)) return false;
  let removed = -1;
  while (removed === -1) {
    const pieces = await store.redis.hget(entryKey(id), 'large');
    const keys = [LOG, TOTAL_BYTES, entryKey(id), ...(pieces === null ? [] : [pieces])];
    removed = await runScript<number>(store.redis, REMOVE, keys, [id, pieces ?? '']);
  }
  return removed === 1;
};

/**
 * Parses a quarantined body again, in case a newer Clickrelay understands it: commits it like any callback, then
 * removes it.
 * The list of integrations is not asked: the person who asks for this overrules it.
 * @throws {InvalidCallbackError} when it still cannot be parsed; it stays in quarantine
 */
export const reparseQuarantined = async (store: Store, id: string): Promise<{ accepted: number } | undefined> => {
  const entry = await readQuarantined(store, id);
  if (entry === undefined) return undefined;
  const { text, lane, eventCount } = parseCallback(entry.body);
  await createCommitter(store).commit({ text, lane }, entry.receivedAt);
  await removeQuarantined(store, id);
  return { accepted: eventCount };
};
