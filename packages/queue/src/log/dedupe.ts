/*
 * The dedupe record of an event is a field in one of many small hashes, 24 bytes where a key of its own costs 160.
 * Hashes cannot expire field by field, so there are generations: a new one every third of the time to live, each
 * expiring as a whole, and a look-up goes through four of them, and through the coming one: the clock of another
 * process may be ahead. A record may outlive them: a fact logged for the second time replaces it.
 */

/** Stands before the claim of a group that has reserved an event and not logged it so far: see reserve-event.ts. */
export const RESERVED = '!';

/** Lua: who has a fact, and where that is written down. */
export const FIND_SEEN = `
local function findSeen(prefix, id, generation)
  -- evt_, shard, bucket, field: 16 characters are 96 bits, and shard and bucket add 12.
  local seen, field = prefix .. 'seen:' .. string.sub(id, 6, 6) .. ':', string.sub(id, 7, 22)
  for offset = 1, -3, -1 do
    local found = redis.call('HGET', seen .. (generation + offset), field)
    if found then return seen, field, found end
  end
  return seen, field, false
end
local function markSeen(present, field, claim, expires)
  if redis.call('HSET', present, field, claim) == 1 and redis.call('HLEN', present) == 1 then
    redis.call('EXPIRE', present, expires)
  end
end`;

const GENERATIONS_PER_TTL = 3;

export const generationsOf = (dedupeTtlMs: number): { generationMs: number; expireSeconds: number } => {
  const generationMs = Math.max(Math.ceil(dedupeTtlMs / GENERATIONS_PER_TTL), 1);
  return { generationMs, expireSeconds: Math.ceil(((GENERATIONS_PER_TTL + 1) * generationMs) / 1_000) + 1 };
};
