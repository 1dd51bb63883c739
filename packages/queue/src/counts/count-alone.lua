-- Counts callbacks and repeats of a group that left no event to count them with, once for its claim.
--
-- KEYS[1]  mark that this claim is counted
-- ARGV[1]  prefix of the intake counts
-- ARGV[2]  lane
-- ARGV[3]  callbacks
-- ARGV[4]  repeats
-- ARGV[5]  seconds that the mark stays
-- Returns  nothing
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[5]) then return end
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
countIntake(ARGV[1], ARGV[2], micros, { callbacks = tonumber(ARGV[3]), events = 0, repeats = tonumber(ARGV[4]) })
