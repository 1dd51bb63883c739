-- Trims one batch of one shard of the log, oldest first.
--
-- An event that is still owed to a living destination stays, whatever its age: its delivery is pending or a dead
-- letter, or the event was routed to that destination and nothing is known of the delivery. When an event is owed to no
-- destination, its deliveries are removed first, and a flag in the record says so: otherwise the ledger would take them
-- for lost.
--
-- KEYS[1]  log of the shard
-- KEYS[2]  its size in bytes
-- KEYS[3]  entries of the message index whose events were removed
-- KEYS[4]  score of the newest event that was removed
-- ARGV[1]  prefix of the shard's keys
-- ARGV[2]  score to begin after
-- ARGV[3]  remove events below this score
-- ARGV[4]  bytes to keep: while there are more, remove events too
-- ARGV[5]  remove the deliveries of events below this score
-- ARGV[6]  never touch events from this score on
-- ARGV[7]  events in a batch
-- ARGV[8]  JSON object: for each living destination, the score since when it exists
-- Returns  how many events were removed; the last score it looked at, nil at the end; all members of KEYS[3]
local logKey, bytesKey, unindexKey, removedUntilKey = unpack(KEYS)
local prefix, after, eventsBelow, bytesToKeep = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local deliveriesBelow, untouchedFrom, batch = tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])
local living = cjson.decode(ARGV[8])

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

local function isOwed(record, head, score)
  local known = {}
  local deliveries = redis.call('HGETALL', record .. ':d')
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
local function remove(id, record, head, scoreText)
  local size = redis.call('STRLEN', record)
  local pieces, addresses = head[RECORD.pieces], head[RECORD.addresses]
  if pieces then
    redis.call('UNLINK', record .. ':p:' .. pieces[PIECES.suffix])
    size = size + pieces[PIECES.bytes]
  end
  redis.call('DEL', record, record .. ':r')
  redis.call('ZREM', logKey, id)
  if addresses and addresses ~= '' then redis.call('SADD', unindexKey, id .. addresses) end
  if tonumber(scoreText) > tonumber(redis.call('GET', removedUntilKey) or '0') then
    redis.call('SET', removedUntilKey, scoreText)
  end
  return redis.call('DECRBY', bytesKey, size)
end

local entries =
  redis.call('ZRANGE', logKey, '(' .. after, '(' .. untouchedFrom, 'BYSCORE', 'LIMIT', 0, batch, 'WITHSCORES')
local bytes = tonumber(redis.call('GET', bytesKey) or '0')
local removed, last = 0, false
if #entries == batch * 2 then last = entries[#entries] end
for i = 1, #entries, 2 do
  local id, scoreText = entries[i], entries[i + 1]
  local score, record = tonumber(scoreText), prefix .. ':' .. id
  local isExpired = score < eventsBelow or bytes > bytesToKeep
  if not isExpired and score >= deliveriesBelow then
    last = false
    break
  end
  local isEnded = redis.call('GETRANGE', record, 0, 0) == RECORD.ended
  if isExpired or not isEnded then
    local head, hasHead = readHead(record)
    if isEnded or not isOwed(record, head, score) then
      redis.call('DEL', record .. ':d')
      if isExpired then
        bytes = remove(id, record, head, scoreText)
        removed = removed + 1
      elseif hasHead then
        redis.call('SETRANGE', record, 0, RECORD.ended)
      end
    end
  end
end
return { removed, last, redis.call('SMEMBERS', unindexKey) }
