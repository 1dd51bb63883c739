-- Dedupes and logs events.
--
-- The script writes a new event's record, its place in the log and its dedupe record, or none of them. One call carries
-- many events, so that the cost of a command is paid once. All other keys are made from the record key of an event and
-- share its tag. The clock stands still during a script: the events of one call get successive microseconds.
--
-- When a claim logs its own event again, the event keeps its place and gets a new record: the routes may have changed.
--
-- The caller has already written the pieces of a large element, under the record's key, `:p:` and a suffix. They stop
-- expiring as soon as a record names them, and are removed with it.
--
-- The same step counts intake, so that the counts agree with the log. Each event brings the callbacks and repeats to be
-- counted with it, once for each claim: a new event counts them at once, and a repeat is noted beside the event under
-- its claim. A group that runs again after a crash adds only what it had not added before. The number of notes is
-- limited. Beyond the limit a repeat and a group that runs again look the same, and both are counted.
--
-- KEYS     record of each event
-- ARGV[1]  claim
-- ARGV[2]  present generation of dedupe records
-- ARGV[3]  seconds after which a dedupe record may be forgotten
-- ARGV[4]  lane of the claim's group
-- ARGV[5]  prefix of the intake counts, or empty for that of the events' own tag
-- ARGV[6]  and four more for each event: its id, its record, suffix of its pieces (empty when it has none), bytes of
--          its pieces, and what is counted with it: callbacks, repeats, and how many of these repeat this event
-- Returns  `new`, `claimed` or `seen` for each event
local claim, generation, expireSeconds, lane, countsPrefix = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local ARGV_BEFORE_EVENTS, ARGV_PER_EVENT = 5, 5
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local counts = { callbacks = 0, events = 0, repeats = 0 }

-- Writes a record, keeps its pieces, drops those of the previous record, and adds the difference to the log's bytes.
local function put(key, prefix, record, suffix, pieceBytes)
  local before = redis.call('SET', key, record, 'GET')
  local bytesBefore = 0
  if before then
    bytesBefore = #before
    local pieces = cjson.decode(string.match(before, '^.([^\n]*)'))[RECORD.pieces]
    if type(pieces) == 'table' then
      if pieces[PIECES.suffix] ~= suffix then redis.call('UNLINK', key .. ':p:' .. pieces[PIECES.suffix]) end
      bytesBefore = bytesBefore + pieces[PIECES.bytes]
    end
  end
  if suffix ~= '' then redis.call('PERSIST', key .. ':p:' .. suffix) end
  redis.call('INCRBY', prefix .. 'bytes', #record + pieceBytes - bytesBefore)
end

-- Counts what an event brings with it. repeatsOfItself is 1 when the event is itself a repeat.
local function count(key, counted, repeatsOfItself)
  local callbacks, repeats, own = string.match(counted, '(%d+) (%d+) (%d+)')
  own = tonumber(own) + repeatsOfItself
  if own > 0 then
    local notes = key .. ':r'
    if redis.call('HLEN', notes) < APPEND.mostRepeats then
      if redis.call('HSETNX', notes, claim, string.format('%.0f %d', now, own)) == 0 then return end
      if repeatsOfItself > 0 and redis.call('EXISTS', key) == 0 then redis.call('EXPIRE', notes, expireSeconds) end
    end
  end
  counts.callbacks = counts.callbacks + tonumber(callbacks)
  counts.repeats = counts.repeats + tonumber(repeats) + repeatsOfItself
end

local results = {}
for i, key in ipairs(KEYS) do
  local at = ARGV_BEFORE_EVENTS + (i - 1) * ARGV_PER_EVENT
  local id, record, suffix, pieceBytes, counted = unpack(ARGV, at + 1, at + ARGV_PER_EVENT)
  local prefix = string.sub(key, 1, #key - #id)
  if countsPrefix == '' then countsPrefix = prefix .. 'in' end
  local seen, field, found = findSeen(prefix, id, generation)
  if found == claim then
    results[i] = 'claimed'
    local before = redis.call('GET', key)
    if before and before ~= record then
      put(key, prefix, record, suffix, tonumber(pieceBytes))
    elseif suffix ~= '' and not before then
      -- An equal record needs these pieces: ioredis has sent this call again because the reply was lost.
      redis.call('UNLINK', key .. ':p:' .. suffix)
    end
  elseif found and found ~= SEEN.reserved .. claim then
    results[i] = 'seen'
    count(key, counted, 1)
    if suffix ~= '' then redis.call('UNLINK', key .. ':p:' .. suffix) end
  else
    results[i] = 'new'
    markSeen(seen .. generation, field, claim, expireSeconds)
    put(key, prefix, record, suffix, tonumber(pieceBytes))
    redis.call('ZADD', prefix .. 'log', string.format('%.0f', now + i - 1), id)
    counts.events = counts.events + 1
    count(key, counted, 0)
  end
end
countIntake(countsPrefix, lane, now, counts)
return results
