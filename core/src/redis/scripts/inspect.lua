-- Who holds a lock.  KEYS: lock.  ARGV: the token that counts as ours.
-- Returns {'free'} | {'us', remaining ms} | {'other', remaining ms}.
local holder = redis.call('GET', KEYS[1])
if not holder then
  return {'free'}
end
return {holder == ARGV[1] and 'us' or 'other', redis.call('PTTL', KEYS[1])}
