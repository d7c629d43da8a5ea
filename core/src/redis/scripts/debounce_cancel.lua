-- Drops what waits to run. A run under way goes on, but is not repeated if it fails.
-- KEYS: record, memo of this request.  ARGV: life of a settled record ms, life of a memo ms.
-- Returns 1 if something was waiting.
local record, memo = KEYS[1], KEYS[2]
local f = redis.call('HMGET', record, 'seq', 'done', 'due', 'runner', 'run_seq', 'until')
local before = redis.call('GET', memo)
if before then
  return tonumber(before)
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local lease_end = f[4] and tonumber(f[6]) or 0
local lapsed = f[4] and lease_end <= now and tonumber(f[5]) > tonumber(f[2] or 0)
local dropped = (f[3] or lapsed) and 1 or 0
if f[1] then
  local life = math.max(0, math.ceil((lease_end - now) / 1000)) + tonumber(ARGV[1])
  -- First, since it needs no memory: what a script has begun, a server without memory lets it end.
  redis.call('PEXPIRE', record, string.format('%.0f', life))
  redis.call('HSET', record, 'done', f[1])
  redis.call('HDEL', record, 'args', 'due', 'lead', 'window')
end
redis.call('SET', memo, dropped, 'PX', ARGV[2])
return dropped
