-- Reserves the event of a job that was just added, and notes the reservation on the job.
--
-- The job comes first: a reservation without a job would turn the event, when it is sent again, into a repeat of nothing.
-- Skips the reservation when the worker has other jobs waiting, or when no worker ever said how long events are known.
--
-- KEYS[1]  job
-- KEYS[2]  jobs that wait
-- KEYS[3]  generation and expiry of dedupe records
-- KEYS[4]  version of the destinations
-- KEYS[5]  and those behind it: dedupe hashes of the event
-- ARGV[1]  claim of the job
-- ARGV[2]  event id
-- ARGV[3]  what the caller knows of KEYS[3]; empty when there is none
-- ARGV[4]  seconds after which a dedupe record may be forgotten
-- Returns  nothing; or what KEYS[3] holds, when the caller knows of another: then nothing is reserved
local known = redis.call('GET', KEYS[3]) or ''
if known ~= ARGV[3] then return known end
if known == '' or redis.call('EXISTS', KEYS[1]) == 0 or redis.call('LLEN', KEYS[2]) ~= 1 then return end
local field, found = findSeen(5, ARGV[2])
if found then return end
markSeen(5, field, CLAIM.reserved .. ARGV[1], ARGV[4])
local version = redis.call('GET', KEYS[4])
redis.call('HSET', KEYS[1], JOB.note, version and '{"version":"' .. version .. '"}' or '{"version":null}')
