-- Adds numbers to a step of a time series: see time-series.ts.

-- Adds numbers to the comma-separated ones of a field. The first write to a hash sets when it expires.
local function addNumbers(key, field, expireSeconds, numbers)
  local sums = {}
  for present in string.gmatch(redis.call('HGET', key, field) or '', '[^,]+') do
    sums[#sums + 1] = string.format('%.0f', tonumber(present) + (numbers[#sums + 1] or 0))
  end
  for at = #sums + 1, #numbers do
    sums[at] = string.format('%.0f', numbers[at])
  end
  redis.call('HSET', key, field, table.concat(sums, ','))
  if redis.call('TTL', key) < 0 then redis.call('EXPIRE', key, expireSeconds) end
end
