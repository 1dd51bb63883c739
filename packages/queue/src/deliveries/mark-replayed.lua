-- Moves the mark of a delivery that a replay of many sent, and the counts of the marks with it.
--
-- Begins with the table MARK, KEPT_S and move-mark.part.lua.
--
-- KEYS[1]  deliveries of the event
-- KEYS[2]  counts of the replay
-- KEYS[3]  ids of the replay's deliveries that failed
-- ARGV[1]  field of the mark
-- ARGV[2]  letter of the mark
-- ARGV[3]  delivery id
-- ARGV[4…]  fields and values to write beside the mark
-- Returns  nothing
moveMark(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3])
if #ARGV > 3 then redis.call('HSET', KEYS[1], unpack(ARGV, 4)) end
