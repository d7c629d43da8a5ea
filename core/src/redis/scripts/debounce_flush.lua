-- Makes what waits to run due now.
-- KEYS: record, memo of this request.  ARGV: life of a memo ms.
-- Returns 1 if something was waiting.
local record, memo = KEYS[1], KEYS[2]
local waiting = redis.call('HEXISTS', record, 'due')
local before = redis.call('GET', memo)
if before then
  return tonumber(before)
end
if waiting == 1 then
  local time = redis.call('TIME')
  local now = string.format('%.0f', time[1] * 1000000 + time[2])
  redis.call('HSET', record, 'due', now, 'window', now)
end
redis.call('SET', memo, waiting, 'PX', ARGV[1])
return waiting
