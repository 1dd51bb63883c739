-- Gives a take back to the rate of its queue.
--
-- BullMQ counts takes in a key that expires with the span of the rate. A take of an earlier span no longer counts:
-- giving it back would allow one more than the rate in this span.
--
-- KEYS[1]  limiter of the queue
-- ARGV[1]  span of the rate, in ms
-- ARGV[2]  how long ago the take was, at least, in ms
-- Returns  1 when the take was given back, else 0
local left = redis.call('PTTL', KEYS[1])
if left <= 0 or tonumber(ARGV[1]) - left < tonumber(ARGV[2]) then return 0 end
if tonumber(redis.call('GET', KEYS[1])) > 0 then redis.call('DECR', KEYS[1]) end
return 1
