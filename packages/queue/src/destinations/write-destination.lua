-- Writes a destination, unless somebody else has changed it since it was read.
--
-- A change also ends its hold: a person has mended it, so workers need not wait until it has answered well again.
--
-- Begins with the table WRITTEN: the answers.
--
-- KEYS[1]  destinations
-- KEYS[2]  since when each is there
-- KEYS[3]  holds
-- KEYS[4]  version of all destinations
-- KEYS[5]  turn to make or remove a destination of this name
-- KEYS[6]  troubles
-- ARGV[1]  id
-- ARGV[2]  text that was read; empty when there was none
-- ARGV[3]  text to write
-- ARGV[4]  token of the turn; empty when the caller has none
-- Returns  yes, changedMeanwhile, or notOurTurn when there is none and the turn to make one is another's
local present = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if present ~= ARGV[2] then
  -- It is there already when the answer was lost and the command went out once more.
  return present == ARGV[3] and WRITTEN.yes or WRITTEN.changedMeanwhile
end
if present == '' and redis.call('GET', KEYS[5]) ~= ARGV[4] then return WRITTEN.notOurTurn end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('HSETNX', KEYS[2], ARGV[1], string.format('%.0f', time[1] * 1000000 + time[2]))
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[6], ARGV[1])
redis.call('INCR', KEYS[4])
return WRITTEN.yes
