-- Reads one batch of one shard of the log, oldest event first, for the ledger.
--
-- Counts the deliveries whose state says that they were delivered or removed. Returns the others one by one: what
-- became of them depends on the queue of their destination, which may be on another server.
--
-- The caller has read the batch from the log. An event that is gone since then is left out.
--
-- Begins with the tables RECORD and STATE.
--
-- KEYS     two for each event: its record and its deliveries
-- ARGV[1]  a JSON object: of each destination the score since when it is there
-- ARGV[2]  the only destination asked for, or an empty string
-- ARGV[3]  and two more for each event: its id and its score
-- Returns  {events, how many of them have no route, {destination, delivered, removed, …},
--           {event id, claim, destination, state, tried, of earlier, …}}:
--           `tried` is 1 when there was an attempt; `of earlier` is 1 when the delivery was meant for an earlier
--           destination of the same name
local living, only = cjson.decode(ARGV[1]), ARGV[2]
local ARGV_BEFORE_EVENTS = 2
local DELIVERED, REMOVED = 1, 2

-- The head of a record, and whether all its deliveries have ended and are no longer kept. Nil when the event is gone.
local function readHead(key)
  local text = redis.call('GETRANGE', key, 0, RECORD.headBytes - 1)
  if text == '' then return nil end
  local lineEnd = string.find(text, '\n', 1, true)
  if not lineEnd then
    text = redis.call('GETRANGE', key, 0, -1)
    lineEnd = string.find(text, '\n', 1, true)
  end
  return cjson.decode(string.sub(text, 2, lineEnd - 1)), string.sub(text, 1, 1) == RECORD.ended
end

-- The destinations of an event, the state of each delivery ('' when it was never queued), and which were tried.
local function readDeliveries(deliveries, routes, hasEnded)
  local destinations, states, tried = {}, {}, {}
  local function add(destination, state)
    if states[destination] == nil then destinations[#destinations + 1] = destination end
    states[destination] = state
  end
  for _, destination in ipairs(routes) do add(destination, '') end
  if hasEnded then return destinations, states, tried end
  for _, field in ipairs(redis.call('HKEYS', deliveries)) do
    local mark = string.find(field, '#', 1, true)
    if mark then tried[string.sub(field, 1, mark - 1)] = 1
    else add(field, redis.call('HGET', deliveries, field)) end
  end
  return destinations, states, tried
end

-- Nil when the state does not tell.
local function columnOf(state, since, isOfEarlier, hasEnded)
  if state == STATE.delivered then return DELIVERED end
  if state == STATE.given_up or not since then return REMOVED end
  if state == '' and isOfEarlier then return REMOVED end
  if hasEnded then return DELIVERED end
  return nil
end

local rows, rowOf = {}, {}
local function count(destination, column)
  local row = rowOf[destination]
  if not row then
    row = { destination, 0, 0 }
    rowOf[destination] = row
    rows[#rows + 1] = row
  end
  row[column + 1] = row[column + 1] + 1
end

local function append(list, values)
  for _, value in ipairs(values) do list[#list + 1] = value end
end

local events, unrouted, undecided = 0, 0, {}
for i = 1, #KEYS, 2 do
  local id, score = ARGV[ARGV_BEFORE_EVENTS + i], tonumber(ARGV[ARGV_BEFORE_EVENTS + i + 1])
  local head, hasEnded = readHead(KEYS[i])
  if head then
    local destinations, states, tried = readDeliveries(KEYS[i + 1], head[RECORD.routes], hasEnded)
    events = events + 1
    if #destinations == 0 then unrouted = unrouted + 1 end
    for _, destination in ipairs(destinations) do
      if only == '' or only == destination then
        local state, since = states[destination], living[destination]
        local isOfEarlier = since and score < since
        local column = columnOf(state, since, isOfEarlier, hasEnded)
        if column then count(destination, column)
        else
          local wasTried = tried[destination] or 0
          append(undecided, { id, head[RECORD.claim], destination, state, wasTried, isOfEarlier and 1 or 0 })
        end
      end
    end
  end
end

local counted = {}
for _, row in ipairs(rows) do append(counted, row) end
return { events, unrouted, counted, undecided }
