-- Reads and writes dedupe records. An event's record is a field of one of many small hashes, a set of them for each
-- generation, and its value is the claim that has the event: see dedupe.ts.

-- Finds the dedupe record of an event, in the present generation, the coming one and the three before.
-- prefix is that of the event's keys. Returns the hash's key without its generation, the field, and the claim or false.
local function findSeen(prefix, id, generation)
  -- evt_, shard, bucket, field: 16 characters are 96 bits, and shard and bucket add 12.
  local seen, field = prefix .. 'seen:' .. string.sub(id, 6, 6) .. ':', string.sub(id, 7, 22)
  for offset = 1, -3, -1 do
    local found = redis.call('HGET', seen .. (generation + offset), field)
    if found then return seen, field, found end
  end
  return seen, field, false
end

-- Writes a dedupe record into the hash with this key. The hash's first record sets when all of it expires.
local function markSeen(hash, field, claim, expireSeconds)
  if redis.call('HSET', hash, field, claim) == 1 and redis.call('HLEN', hash) == 1 then
    redis.call('EXPIRE', hash, expireSeconds)
  end
end
