-- Adds numbers to time series whose keys share a hash tag.
--
-- KEYS     hash of each step; a hash may come several times
-- ARGV     three for each key: the field of the step, seconds until the hash expires, numbers with commas between them
-- Returns  nothing
for i, key in ipairs(KEYS) do
  local field, expireSeconds, list = unpack(ARGV, 3 * i - 2, 3 * i)
  local numbers = {}
  for number in string.gmatch(list, '[^,]+') do
    numbers[#numbers + 1] = tonumber(number)
  end
  addNumbers(key, field, expireSeconds, numbers)
end
