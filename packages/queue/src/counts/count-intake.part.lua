-- Counts intake, by the server's clock: see intake-counts.ts.

local function countIntakeIn(step, prefix, lane, seconds, numbers)
  local key = string.format('%s:%s%d', prefix, step.letter, math.floor(seconds / step.spanSeconds))
  local place = math.floor(seconds % step.spanSeconds / step.seconds)
  addNumbers(key, string.format('%d:%s', place, lane), step.expireSeconds, numbers)
end

-- Adds callbacks, events and repeats of a lane to the minute and the hour of this time, in microseconds.
local function countIntake(prefix, lane, micros, counts)
  if counts.callbacks > 0 then
    local seen, time = prefix .. ':seen', string.format('%.0f', micros)
    if redis.call('HSET', seen, lane .. ':last', time) == 1 then redis.call('HSET', seen, lane .. ':first', time) end
  end
  local numbers, sum = {}, 0
  for name, at in pairs(INTAKE) do
    numbers[at] = counts[name]
    sum = sum + counts[name]
  end
  if sum == 0 then return end
  local seconds = math.floor(micros / 1000000)
  countIntakeIn(MINUTE, prefix, lane, seconds, numbers)
  countIntakeIn(HOUR, prefix, lane, seconds, numbers)
end
