-- Lets the last fence be at least so great, if the lock is under this token.
-- KEYS: lock, fence.  ARGV: token, least fence, fence life ms.
-- Returns 1, or 0 if the lock is not under the token.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if last < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
end
return 1
