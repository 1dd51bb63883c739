-- Lets jobs sleep no longer than if they had been put off now.
--
-- Begins with the table JOB.
--
-- KEYS[1]  delayed
-- KEYS[2]  marker
-- KEYS[3]  and one more for each job: the job
-- ARGV[1]  how many steps of a score are a millisecond
-- ARGV[2]  how much later than that a job may be due, in ms
-- ARGV[3]  the marker's member for delayed jobs
-- ARGV[4]  and one more for each job: its id
-- Returns  how many jobs sleep less now
local steps = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local count = 0
for at = 3, #KEYS do
  local id = ARGV[at + 1]
  local score, delay = redis.call('ZSCORE', KEYS[1], id), redis.call('HGET', KEYS[at], JOB.delay)
  if score and delay then
    local due = now + tonumber(delay)
    if tonumber(score) / steps > due + tonumber(ARGV[2]) then
      redis.call('ZADD', KEYS[1], string.format('%.0f', due * steps), id)
      count = count + 1
    end
  end
end
if count > 0 then
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  redis.call('ZADD', KEYS[2], string.format('%.0f', math.floor(tonumber(first[2]) / steps)), ARGV[3])
end
return count
