-- Reads how many jobs of a queue are in each state, and when the oldest unfinished one was added.
--
-- The job that waits longest is at the right of a list. Delayed jobs are sorted by when they are due, not by age: the
-- one that is retried longest is due last, as waits grow, so the age of a few at either end is looked at.
--
-- KEYS[1]  waiting
-- KEYS[2]  prioritized
-- KEYS[3]  delayed
-- KEYS[4]  active
-- KEYS[5]  failed
-- ARGV[1]  prefix of the keys of jobs
-- ARGV[2]  how many jobs to look at, at each end
-- Returns  how many wait, are delayed, active and failed; then when the oldest was added, in ms, or false
local oldest = false
local function look(ids)
  for _, id in ipairs(ids) do
    local at = tonumber(redis.call('HGET', ARGV[1] .. id, JOB.addedAt) or '')
    if at and (not oldest or at < oldest) then oldest = at end
  end
end
local most = tonumber(ARGV[2])
look(redis.call('LRANGE', KEYS[1], -1, -1))
look(redis.call('ZRANGE', KEYS[2], 0, 0))
look(redis.call('ZRANGE', KEYS[3], 0, most - 1))
look(redis.call('ZRANGE', KEYS[3], -most, -1))
look(redis.call('LRANGE', KEYS[4], -most, -1))
return {
  redis.call('LLEN', KEYS[1]) + redis.call('ZCARD', KEYS[2]), redis.call('ZCARD', KEYS[3]),
  redis.call('LLEN', KEYS[4]), redis.call('ZCARD', KEYS[5]), oldest and tostring(oldest) or false
}
