-- Takes a lock, and makes a fence that grows even if the last one was forgotten.
-- KEYS: lock, fence, mark of the token's series.
-- ARGV: token, lease ms, fence life ms, the token's number in its series, mark life ms.
-- Returns {'busy', remaining ms} | {'gone'} | {'acquired', fence, 1 if this call took it}.
local number = tonumber(ARGV[4])
local mark = redis.call('GET', KEYS[3])
if mark and tonumber(string.match(mark, '^%d+')) >= number then
  return {'gone'}
end
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  if number > 0 then
    redis.call('SET', KEYS[3], ARGV[4], 'PX', ARGV[5])
  end
  return {'busy', redis.call('PTTL', KEYS[1])}
end
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if holder and last > 0 then
  return {'acquired', string.format('%.0f', last), 0}
end
local time = redis.call('TIME')
local fence = math.max(last + 1, time[1] * 1000000 + time[2])
local text = string.format('%.0f', fence)
redis.call('SET', KEYS[2], text, 'PX', ARGV[3])
if holder then
  return {'acquired', text, 0}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'acquired', text, 1}
