-- Moves the mark of a delivery that a replay of many sent, and the counts of the marks with it.
--
-- The first mark of a delivery says that it was sent. A later one without a first belongs to a replay that is
-- forgotten, and is not written.
--
-- Begins with the table MARK, and KEPT_S: how long the counts are kept after the last change, in seconds.
--
-- KEYS[1]  deliveries of the event
-- KEYS[2]  counts of the replay
-- KEYS[3]  ids of the replay's deliveries that failed
-- ARGV[1]  field of the mark
-- ARGV[2]  letter of the mark
-- ARGV[3]  delivery id
-- ARGV[4…]  fields and values to write beside the mark
-- Returns  nothing
local function moveMark(deliveries, counts, failed, field, letter, id)
  local before = redis.call('HGET', deliveries, field)
  if before == letter or not (before or letter == MARK.sent) then return end
  redis.call('HSET', deliveries, field, letter)
  if before then redis.call('HINCRBY', counts, before, -1) end
  redis.call('HINCRBY', counts, letter, 1)
  redis.call('EXPIRE', counts, KEPT_S)
  if letter == MARK.failed then
    redis.call('ZADD', failed, 0, id)
    redis.call('EXPIRE', failed, KEPT_S)
  elseif before == MARK.failed then
    redis.call('ZREM', failed, id)
  end
end

moveMark(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3])
if #ARGV > 3 then redis.call('HSET', KEYS[1], unpack(ARGV, 4)) end
