-- Holds a taken job for its consumer until a time, as BullMQ extends a lock, and remembers the lease beside the job.
--
-- Begins with the table JOB.
--
-- KEYS[1]  lock of the job
-- KEYS[2]  jobs of the queue that the next check takes for stalled
-- KEYS[3]  job
-- ARGV[1]  token of the lease
-- ARGV[2]  how long to hold it, in ms
-- ARGV[3]  id of the job
-- ARGV[4]  what to remember of the lease
-- Returns  1, and what was remembered of the lease before or false; 0 when the token no longer holds the job
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0, false} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SREM', KEYS[2], ARGV[3])
local before = redis.call('HGET', KEYS[3], JOB.lease)
redis.call('HSET', KEYS[3], JOB.lease, ARGV[4])
return {1, before}
