-- Counts intake, by the server's clock: see intake-counts.ts.
--
-- The caller names three keys, KEYS[at] and the two behind it: when callbacks were heard, the minutes of an hour, and the
-- hours of a day. Its clock may be another.

-- The time, in microseconds, and whether the named hour and day are those of this time. If not, the caller asks again.
local function readIntakeTime(at)
  local time = redis.call('TIME')
  local seconds = tonumber(time[1])
  local function fits(key, step)
    local ending = string.format(':%s%d', step.letter, math.floor(seconds / step.spanSeconds))
    return string.sub(key, -#ending) == ending
  end
  return seconds * 1000000 + tonumber(time[2]), fits(KEYS[at + 1], MINUTE) and fits(KEYS[at + 2], HOUR)
end

local function countIntakeIn(step, key, lane, seconds, numbers)
  local place = math.floor(seconds % step.spanSeconds / step.seconds)
  addNumbers(key, string.format('%d:%s', place, lane), step.expireSeconds, numbers)
end

-- Adds callbacks, events and repeats of a lane to the minute and the hour of this time, in microseconds.
local function countIntake(at, lane, micros, counts)
  if counts.callbacks > 0 then
    local heard, time = KEYS[at], string.format('%.0f', micros)
    if redis.call('HSET', heard, lane .. ':last', time) == 1 then redis.call('HSET', heard, lane .. ':first', time) end
  end
  local numbers, sum = {}, 0
  for name, place in pairs(INTAKE) do
    numbers[place] = counts[name]
    sum = sum + counts[name]
  end
  if sum == 0 then return end
  local seconds = math.floor(micros / 1000000)
  countIntakeIn(MINUTE, KEYS[at + 1], lane, seconds, numbers)
  countIntakeIn(HOUR, KEYS[at + 2], lane, seconds, numbers)
end
