-- Moves the mark of a delivery that a replay of many sent, and the counts of the marks with it.
--
-- The first mark of a delivery says that it was sent. A later one without a first belongs to a replay that is
-- forgotten, and is not written.
--
-- Begins with the table MARK, and KEPT_S: how long the counts are kept after the last change, in seconds.
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
