-- Sets a value unless a holder with a newer fence has.
-- KEYS: what is protected, its fence.  ARGV: the value, the fence.  Returns 1, or 0 if refused.
if tonumber(redis.call('GET', KEYS[2]) or '0') > tonumber(ARGV[2]) then
  return 0
end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('SET', KEYS[1], ARGV[1])
return 1
