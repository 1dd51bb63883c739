-- Reserves the event of a job that was just added, and notes the reservation on the job.
--
-- The job comes first: a reservation without a job would turn the event, when it is sent again, into a repeat of nothing.
-- Skips the reservation when the worker has other jobs waiting, or when no worker ever said how long events are known.
--
-- KEYS[1]  job
-- KEYS[2]  jobs that wait
-- KEYS[3]  generation and expiry of dedupe records
-- KEYS[4]  version of the destinations
-- ARGV[1]  claim of the job
-- ARGV[2]  prefix of the event's keys
-- ARGV[3]  event id
-- Returns  nothing
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('LLEN', KEYS[2]) ~= 1 then return end
local generationMs, expires = string.match(redis.call('GET', KEYS[3]) or '', '(%d+) (%d+)')
if not generationMs then return end
local time = redis.call('TIME')
local generation = math.floor((time[1] * 1000 + math.floor(time[2] / 1000)) / generationMs)
local seen, field, found = findSeen(ARGV[2], ARGV[3], generation)
if found then return end
markSeen(seen .. generation, field, CLAIM.reserved .. ARGV[1], expires)
local version = redis.call('GET', KEYS[4])
redis.call('HSET', KEYS[1], JOB.note, version and '{"version":"' .. version .. '"}' or '{"version":null}')
