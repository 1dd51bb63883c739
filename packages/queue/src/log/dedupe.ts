import { luaTable } from '../redis/script.ts';
import findSeenLua from './find-seen.part.lua';

/*
 * The dedupe record of an event is a field in one of many small hashes, 24 bytes where a key of its own costs 160.
 * Hashes cannot expire field by field, so there are generations: a new one every third of the time to live, each
 * expiring as a whole, and a look-up goes through four of them, and through the coming one: the clock of another
 * process may be ahead. A record may outlive them: a fact logged for the second time replaces it.
 */

/** Stands before the claim of a group that has reserved an event and not logged it so far: see reserve-event.ts. */
export const RESERVED = '!';

/** For scripts: `findSeen`, `markSeen` and `SEEN.reserved`. */
export const FIND_SEEN = luaTable('SEEN', { reserved: RESERVED }) + findSeenLua;

const GENERATIONS_PER_TTL = 3;

export const generationsOf = (dedupeTtlMs: number): { generationMs: number; expireSeconds: number } => {
  const generationMs = Math.max(Math.ceil(dedupeTtlMs / GENERATIONS_PER_TTL), 1);
  return { generationMs, expireSeconds: Math.ceil(((GENERATIONS_PER_TTL + 1) * generationMs) / 1_000) + 1 };
};
