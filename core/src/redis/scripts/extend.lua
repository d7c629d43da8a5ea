-- Lets a lock live at least so long, if it is under this token.
-- KEYS: lock.  ARGV: token, least remaining ms.  Returns 1, or 0 if it is not under the token.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local remaining = redis.call('PTTL', KEYS[1])
if remaining >= 0 and remaining < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
