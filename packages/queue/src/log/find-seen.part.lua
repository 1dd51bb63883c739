-- Reads and writes dedupe records. An event's record is a field of one of many small hashes, a set of them for each
-- generation, and its value is the claim that has the event: see dedupe.ts.

-- Finds the dedupe record of an event. Its hashes are KEYS[at] and those behind it: of the coming generation, the
-- present one, and the three before. Returns the field, and the claim or false.
local function findSeen(at, id)
  -- evt_, shard, bucket, field: 16 characters are 96 bits, and shard and bucket add 12.
  local field = string.sub(id, 7, 22)
  for hash = at, at + SEEN.hashes - 1 do
    local found = redis.call('HGET', KEYS[hash], field)
    if found then return field, found end
  end
  return field, false
end

-- Writes a dedupe record of the present generation. The first record of a hash sets when all of it expires.
local function markSeen(at, field, claim, expireSeconds)
  local hash = KEYS[at + 1]
  if redis.call('HSET', hash, field, claim) == 1 and redis.call('HLEN', hash) == 1 then
    redis.call('EXPIRE', hash, expireSeconds)
  end
end
