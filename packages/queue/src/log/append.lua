-- Dedupes and logs events.
--
-- The script writes a new event's record, its place in the log and its dedupe record, or none of them. One call carries
-- many events, so that the cost of a command is paid once. All keys share a tag on a Cluster. The clock stands still
-- during a script: the events of one call get successive microseconds.
--
-- When a claim logs its own event again, the event keeps its place and gets a new record: the routes may have changed.
--
-- The caller has already written the pieces of a large element. They stop expiring as soon as a record names them, and
-- are removed with it. Which pieces an earlier record names, the caller cannot know: it is told, and asks again.
--
-- The same step counts intake, so that the counts agree with the log. Each event brings the callbacks and repeats to be
-- counted with it, once for each claim: a new event counts them at once, and a repeat is noted beside the event under
-- its claim. A group that runs again after a crash adds only what it had not added before. The number of notes is
-- limited. Beyond the limit a repeat and a group that runs again look the same, and both are counted.
--
-- KEYS[1]  when callbacks were heard
-- KEYS[2]  intake by minute, of this hour
-- KEYS[3]  intake by hour, of this day
-- KEYS[4]  and for each event: its record, notes of who repeated it, the log and the log's bytes of its shard, its dedupe
--          hashes; behind all of them the pieces of large events
-- ARGV[1]  claim
-- ARGV[2]  seconds after which a dedupe record may be forgotten
-- ARGV[3]  lane of the claim's group
-- ARGV[4]  how many events
-- ARGV[5]  and six more for each event: its id, its record, which of KEYS has its pieces and which those of the record
--          before (0 for none), bytes of its pieces, and what is counted with it: callbacks, repeats, and how many of
--          these repeat this event
-- Returns  `new`, `claimed` or `seen` for each event, or `=` and the key of the pieces that the record before names: then
--          nothing was done with this event. Or instead of all that the time in microseconds, when KEYS[2] and KEYS[3]
--          are of another time, and nothing was done at all
local claim, expireSeconds, lane = ARGV[1], ARGV[2], ARGV[3]
local KEYS_BEFORE_EVENTS, KEYS_PER_EVENT = 3, 4 + SEEN.hashes
local ARGV_BEFORE_EVENTS, ARGV_PER_EVENT = 4, 6
local now, isTheirTime = readIntakeTime(1)
if not isTheirTime then return string.format('%.0f', now) end
local counts = { callbacks = 0, events = 0, repeats = 0 }

-- Writes a record, keeps its pieces, drops those of the record before, and adds the difference to the log's bytes.
-- Returns the key of those, and writes nothing, when it was not declared.
local function put(key, bytesKey, record, pieces, piecesBefore, pieceBytes)
  local before = redis.call('SET', key, record, 'GET')
  local bytesBefore = 0
  if before then
    bytesBefore = #before
    local named = cjson.decode(string.match(before, '^.([^\n]*)'))[RECORD.pieces]
    if type(named) == 'table' then
      local piecesKey = key .. ':p:' .. named[PIECES.suffix]
      if piecesKey ~= KEYS[pieces] then
        if piecesKey ~= KEYS[piecesBefore] then
          redis.call('SET', key, before)
          return piecesKey
        end
        redis.call('UNLINK', KEYS[piecesBefore])
      end
      bytesBefore = bytesBefore + named[PIECES.bytes]
    end
  end
  if pieces > 0 then redis.call('PERSIST', KEYS[pieces]) end
  redis.call('INCRBY', bytesKey, #record + pieceBytes - bytesBefore)
end

-- Counts what an event brings with it. repeatsOfItself is 1 when the event is itself a repeat.
local function count(key, notes, counted, repeatsOfItself)
  local callbacks, repeats, own = string.match(counted, '(%d+) (%d+) (%d+)')
  own = tonumber(own) + repeatsOfItself
  if own > 0 then
    if redis.call('HLEN', notes) < APPEND.mostRepeats then
      if redis.call('HSETNX', notes, claim, string.format('%.0f %d', now, own)) == 0 then return end
      if repeatsOfItself > 0 and redis.call('EXISTS', key) == 0 then redis.call('EXPIRE', notes, expireSeconds) end
    end
  end
  counts.callbacks = counts.callbacks + tonumber(callbacks)
  counts.repeats = counts.repeats + tonumber(repeats) + repeatsOfItself
end

-- What becomes of one event.
local function append(i)
  local at = ARGV_BEFORE_EVENTS + (i - 1) * ARGV_PER_EVENT
  local id, record, pieces, piecesBefore, pieceBytes, counted = unpack(ARGV, at + 1, at + ARGV_PER_EVENT)
  local keysAt = KEYS_BEFORE_EVENTS + (i - 1) * KEYS_PER_EVENT
  local key, notes, log, bytes = unpack(KEYS, keysAt + 1, keysAt + 4)
  local seenAt = keysAt + 5
  pieces, piecesBefore, pieceBytes = tonumber(pieces), tonumber(piecesBefore), tonumber(pieceBytes)

  local field, found = findSeen(seenAt, id)
  if found == claim then
    local before = redis.call('GET', key)
    if before and before ~= record then
      local unknown = put(key, bytes, record, pieces, piecesBefore, pieceBytes)
      if unknown then return '=' .. unknown end
    elseif pieces > 0 and not before then
      -- An equal record needs these pieces: ioredis has sent this call again because the reply was lost.
      redis.call('UNLINK', KEYS[pieces])
    end
    return 'claimed'
  end
  if found and found ~= SEEN.reserved .. claim then
    count(key, notes, counted, 1)
    if pieces > 0 then redis.call('UNLINK', KEYS[pieces]) end
    return 'seen'
  end
  local unknown = put(key, bytes, record, pieces, piecesBefore, pieceBytes)
  if unknown then return '=' .. unknown end
  markSeen(seenAt, field, claim, expireSeconds)
  redis.call('ZADD', log, string.format('%.0f', now + i - 1), id)
  counts.events = counts.events + 1
  count(key, notes, counted, 0)
  return 'new'
end

local results = {}
for i = 1, tonumber(ARGV[4]) do
  results[i] = append(i)
end
countIntake(1, lane, now, counts)
return results
