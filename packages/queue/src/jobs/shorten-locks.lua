-- Ends in time what would last longer than it can: locks of taken jobs, the span of the queue's rate, and the pause after a
-- check for stalled jobs. Each lasts as long as if it began now.
--
-- Begins with the table JOB.
--
-- KEYS[1]  limiter of the queue
-- KEYS[2]  mark of the last check for stalled jobs
-- KEYS[3]  and one more for each job: its lock, and the job
-- ARGV[1]  span of the queue's rate, in ms
-- ARGV[2]  pause after a check for stalled jobs, in ms
-- ARGV[3]  how long a lock lasts, in ms, unless the job is leased
-- Returns  how many locks were shortened
local function shorten(key, ms)
  if redis.call('PTTL', key) <= tonumber(ms) then return 0 end
  redis.call('PEXPIRE', key, ms)
  return 1
end
shorten(KEYS[1], ARGV[1])
shorten(KEYS[2], ARGV[2])
local count = 0
for at = 3, #KEYS, 2 do
  local lease = redis.call('HGET', KEYS[at + 1], JOB.lease)
  count = count + shorten(KEYS[at], lease and string.match(lease, ':(%d+)$') or ARGV[3])
end
return count
