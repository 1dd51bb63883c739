-- Claims a piece of work, unless it is done or somebody is at it.
--
-- A record is one letter, the token of whoever claimed the work last, and more:
--   h<token> <ends>      claimed until this time in ms
--   d<token> <result>    done
--   u<token>             nobody knows whether it was done
--
-- KEYS[1]  record
-- ARGV[1]  token
-- ARGV[2]  now in ms
-- ARGV[3]  when the claim ends, in ms
-- ARGV[4]  how long to keep the record, in ms
-- ARGV[5]  '1' to claim also what nobody knows the end of
-- Returns  the state, and the result of what is done or the ms until a claim ends
local record = redis.call('GET', KEYS[1])
if record then
  local state, rest = string.match(record, '^(.)%S+ ?(.*)$')
  if state == 'd' then return { 'done', rest } end
  if state == 'h' then
    -- No claim lasts longer than one that begins now: the clock may have been put back.
    local left = math.min(tonumber(rest), tonumber(ARGV[3])) - tonumber(ARGV[2])
    if left > 0 then return { 'busy', left } end
  end
  if ARGV[5] ~= '1' then return { 'unknown' } end
end
redis.call('SET', KEYS[1], 'h' .. ARGV[1] .. ' ' .. ARGV[3], 'PX', ARGV[4])
return { 'yours' }
