-- Puts a body into quarantine, unless it is there or the quarantine is full.
--
-- A large body is stored beside its entry, in pieces that were written before and expire by themselves: they are kept
-- when the entry is put, and dropped when it is not.
--
-- KEYS[1]  entries by time of arrival
-- KEYS[2]  bytes of all entries
-- KEYS[3]  entry
-- KEYS[4]  pieces of a large body
-- ARGV[1]  id of the entry
-- ARGV[2]  time of arrival, in ms
-- ARGV[3]  why it could not be used
-- ARGV[4]  body; empty for a large one
-- ARGV[5]  how many entries there may be
-- ARGV[6]  how many bytes they may take
-- ARGV[7]  bytes of the body
-- ARGV[8]  how many pieces; 0 for a body that is in the entry
-- Returns  1 when the entry is there, 0 when the quarantine is full
local function dropPieces(answer)
  if ARGV[8] ~= '0' then redis.call('UNLINK', KEYS[4]) end
  return answer
end
if redis.call('EXISTS', KEYS[3]) == 1 then
  -- The same call again, because its answer was lost: the pieces belong to the entry.
  if redis.call('HGET', KEYS[3], 'large') == KEYS[4] then return 1 end
  return dropPieces(1)
end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[5]) then return dropPieces(0) end
if tonumber(redis.call('GET', KEYS[2]) or '0') + ARGV[7] > tonumber(ARGV[6]) then return dropPieces(0) end
redis.call('HSET', KEYS[3], 'at', ARGV[2], 'reason', ARGV[3], 'body', ARGV[4])
if ARGV[8] ~= '0' then
  redis.call('HSET', KEYS[3], 'large', KEYS[4], 'pieces', ARGV[8], 'bytes', ARGV[7])
  redis.call('PERSIST', KEYS[4])
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('INCRBY', KEYS[2], ARGV[7])
return 1
