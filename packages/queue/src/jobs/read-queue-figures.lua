-- Reads how many jobs of a queue are in each state, and which unfinished ones may be the oldest.
--
-- The job that waits longest is at the right of a list. Delayed jobs are sorted by when they are due, not by age: the
-- one that is retried longest is due last, as waits grow, so a few at either end are named.
--
-- KEYS[1]  waiting
-- KEYS[2]  prioritized
-- KEYS[3]  delayed
-- KEYS[4]  active
-- KEYS[5]  failed
-- ARGV[1]  how many jobs to name, at each end
-- Returns  how many wait, are delayed, active and failed; then ids of jobs, some of them twice
local most = tonumber(ARGV[1])
local ids = {}
local function add(more)
  for _, id in ipairs(more) do ids[#ids + 1] = id end
end
add(redis.call('LRANGE', KEYS[1], -1, -1))
add(redis.call('ZRANGE', KEYS[2], 0, 0))
add(redis.call('ZRANGE', KEYS[3], 0, most - 1))
add(redis.call('ZRANGE', KEYS[3], -most, -1))
add(redis.call('LRANGE', KEYS[4], -most, -1))
return {
  redis.call('LLEN', KEYS[1]) + redis.call('ZCARD', KEYS[2]), redis.call('ZCARD', KEYS[3]),
  redis.call('LLEN', KEYS[4]), redis.call('ZCARD', KEYS[5]), ids
}
