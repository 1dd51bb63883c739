-- Writes how a lease ended, unless its end is written already: of several answers the first one holds.
--
-- Begins with the table MARK, KEPT_S and move-mark.part.lua.
--
-- KEYS[1]  deliveries of the event
-- KEYS[2]  counts of the replay of many that it is part of, if it is
-- KEYS[3]  ids of the replay's deliveries that failed
-- ARGV[1]  destination
-- ARGV[2]  letter of the delivery's state after it
-- ARGV[3]  field of the attempt
-- ARGV[4]  the attempt
-- ARGV[5]  field of the mark, if there is a replay
-- ARGV[6]  letter of the mark
-- ARGV[7]  delivery id
-- Returns  the attempt that was written before; nothing when this one is written now
local before = redis.call('HGET', KEYS[1], ARGV[3])
if before then return before end
if #KEYS > 1 then moveMark(KEYS[1], KEYS[2], KEYS[3], ARGV[5], ARGV[6], ARGV[7]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
