-- Trims one batch of one shard of the log, oldest first.
--
-- An event that is still owed to a living destination stays, whatever its age: its delivery is pending or a dead
-- letter, or the event was routed to that destination and nothing is known of the delivery. When an event is owed to no
-- destination, its deliveries are removed first, and a flag in the record says so: otherwise the ledger would take them
-- for lost.
--
-- The caller has read the batch from the log. What has changed since then stays for the next time. Where the pieces of a
-- large event lie, only its record knows: the caller is told, and asks again.
--
-- KEYS[1]  log of the shard
-- KEYS[2]  its size in bytes
-- KEYS[3]  entries of the message index whose events were removed
-- KEYS[4]  score of the newest event that was removed
-- KEYS[5]  and three more for each event of the batch: its record, its deliveries, notes of who repeated it; behind all of
--          them, for each event the pieces of its element, when the caller knows of them
-- ARGV[1]  remove events below this score
-- ARGV[2]  bytes to keep: while there are more, remove events too
-- ARGV[3]  remove the deliveries of events below this score
-- ARGV[4]  JSON object: for each living destination, the score since when it exists
-- ARGV[5]  and two more for each event: its id and its score
-- Returns  how many events were removed; 1 when all further events are too young; all members of KEYS[3]; and in turns
--          which events of the batch have pieces, and their keys: nothing was done with these; how many of the removed
--          had not reached ARGV[1]
local logKey, bytesKey, unindexKey, removedUntilKey = unpack(KEYS, 1, 4)
local eventsBelow, bytesToKeep, deliveriesBelow = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local living = cjson.decode(ARGV[4])
local KEYS_BEFORE_EVENTS, ARGV_BEFORE_EVENTS = 4, 4
local events = (#ARGV - ARGV_BEFORE_EVENTS) / 2
local piecesAt = KEYS_BEFORE_EVENTS + 3 * events

-- The head of a record, and whether there is one.
local function readHead(record)
  local text = redis.call('GETRANGE', record, 1, RECORD.headBytes - 1)
  local lineEnd = string.find(text, '\n', 1, true)
  if not lineEnd then
    text = redis.call('GETRANGE', record, 1, -1)
    lineEnd = string.find(text, '\n', 1, true)
  end
  if not lineEnd then return {}, false end
  return cjson.decode(string.sub(text, 1, lineEnd - 1)), true
end

local function isOwed(deliveriesKey, head, score)
  local known = {}
  local deliveries = redis.call('HGETALL', deliveriesKey)
  for i = 1, #deliveries, 2 do
    local destination, state = deliveries[i], deliveries[i + 1]
    known[destination] = true
    if (state == STATE.pending or state == STATE.dead_letter) and living[destination] then return true end
  end
  for _, destination in ipairs(head[RECORD.routes] or {}) do
    if not known[destination] and living[destination] and score >= living[destination] then return true end
  end
  return false
end

-- Removes an event with everything about it. Returns the bytes left in the shard.
local function remove(id, record, repeats, piecesKey, head, scoreText)
  local size = redis.call('STRLEN', record)
  local pieces, addresses = head[RECORD.pieces], head[RECORD.addresses]
  if pieces then
    redis.call('UNLINK', piecesKey)
    size = size + pieces[PIECES.bytes]
  end
  redis.call('DEL', record, repeats)
  redis.call('ZREM', logKey, id)
  if addresses and addresses ~= '' then redis.call('SADD', unindexKey, id .. addresses) end
  if tonumber(scoreText) > tonumber(redis.call('GET', removedUntilKey) or '0') then
    redis.call('SET', removedUntilKey, scoreText)
  end
  return redis.call('DECRBY', bytesKey, size)
end

local bytes = tonumber(redis.call('GET', bytesKey) or '0')
local removed, early, isOver, withPieces = 0, 0, 0, {}
for i = 1, events do
  local id, scoreText = ARGV[ARGV_BEFORE_EVENTS + 2 * i - 1], ARGV[ARGV_BEFORE_EVENTS + 2 * i]
  local keysAt = KEYS_BEFORE_EVENTS + 3 * (i - 1)
  local record, deliveries, repeats = unpack(KEYS, keysAt + 1, keysAt + 3)
  local score = tonumber(scoreText)
  local isExpired = score < eventsBelow or bytes > bytesToKeep
  if not isExpired and score >= deliveriesBelow then
    isOver = 1
    break
  end
  local isEnded = redis.call('GETRANGE', record, 0, 0) == RECORD.ended
  if (isExpired or not isEnded) and tonumber(redis.call('ZSCORE', logKey, id) or '') == score then
    local head, hasHead = readHead(record)
    if isEnded or not isOwed(deliveries, head, score) then
      local pieces = head[RECORD.pieces]
      local piecesKey = pieces and record .. ':p:' .. pieces[PIECES.suffix]
      if isExpired and pieces and piecesKey ~= KEYS[piecesAt + i] then
        withPieces[#withPieces + 1] = i - 1
        withPieces[#withPieces + 1] = piecesKey
        bytes = bytes - redis.call('STRLEN', record) - pieces[PIECES.bytes]
      else
        redis.call('DEL', deliveries)
        if isExpired then
          bytes = remove(id, record, repeats, piecesKey, head, scoreText)
          removed = removed + 1
          if score >= eventsBelow then early = early + 1 end
        elseif hasHead then
          redis.call('SETRANGE', record, 0, RECORD.ended)
        end
      end
    end
  end
end
return { removed, isOver, redis.call('SMEMBERS', unindexKey), withPieces, early }
