-- Counts callbacks and repeats of a group that left no event to count them with, once for its claim.
--
-- KEYS[1]  when callbacks were heard
-- KEYS[2]  intake by minute, of this hour
-- KEYS[3]  intake by hour, of this day
-- KEYS[4]  mark that this claim is counted
-- ARGV[1]  lane
-- ARGV[2]  callbacks
-- ARGV[3]  repeats
-- ARGV[4]  seconds that the mark stays
-- Returns  nothing; the time in microseconds when KEYS[2] and KEYS[3] are of another time, and nothing was counted
local now, isTheirTime = readIntakeTime(1)
if not isTheirTime then return string.format('%.0f', now) end
if not redis.call('SET', KEYS[4], '1', 'NX', 'EX', ARGV[4]) then return end
countIntake(1, ARGV[1], now, { callbacks = tonumber(ARGV[2]), events = 0, repeats = tonumber(ARGV[3]) })
