import { eventKeys } from '../redis/names.ts';
import { luaTable } from '../redis/script.ts';
import findSeenLua from './find-seen.part.lua';

/*
 * The dedupe record of an event is a field in one of many small hashes, 24 bytes where a key of its own costs 160. A
 * hash expires as a whole, so there are generations: a new one begins every third of the time to live. A look-up reads
 * the present generation, the three before it, and the coming one, because the clock of another process may be ahead.
 * An event's record may outlive its dedupe record. The same event is then logged as new, and replaces the record.
 */

/** Precedes the claim of a group that has reserved an event and has not logged it so far: see reserve-event.ts. */
export const RESERVED = '!';

const GENERATIONS_PER_TTL = 3;
/** How many a look-up reads: the coming one, the present one and those before. */
const HASHES = GENERATIONS_PER_TTL + 2;

/** For scripts: `findSeen`, `markSeen` and `SEEN.reserved`. */
export const FIND_SEEN = luaTable('SEEN', { reserved: RESERVED, hashes: HASHES }) + findSeenLua;

/** The hashes that may hold the dedupe record of an event, in the order in which scripts want them. */
export const seenKeys = (eventId: string, generation: number): string[] => {
  const { seen } = eventKeys(eventId);
  return Array.from({ length: HASHES }, (_, back) => `${seen}${generation + 1 - back}`);
};

export const generationsOf = (dedupeTtlMs: number): { generationMs: number; expireSeconds: number } => {
  const generationMs = Math.max(Math.ceil(dedupeTtlMs / GENERATIONS_PER_TTL), 1);
  return { generationMs, expireSeconds: Math.ceil(((GENERATIONS_PER_TTL + 1) * generationMs) / 1_000) + 1 };
};
