-- Frees a lock if it is under this token, and revokes the token, with those before it.
-- KEYS: lock, tombstone of the token's series.
-- ARGV: token, its number in the series, tombstone life ms, channel to tell of a release.
-- Returns 1 if the token was under the key, now or when an earlier copy of this call came.
local freed = redis.call('GET', KEYS[1]) == ARGV[1]
if freed then
  -- First, since a server that is out of memory refuses what comes first only if it may need some.
  redis.call('DEL', KEYS[1])
end
local released = ARGV[2] .. ' released'
local tombstone = freed and released or ARGV[2]
local old = redis.pcall('SET', KEYS[2], tombstone, 'PX', ARGV[3], 'GET')
if type(old) == 'table' then
  -- No tombstone: what is freed is freed all the same, and so is what an earlier copy freed.
  if not freed and redis.call('GET', KEYS[2]) ~= released then
    return old
  end
elseif old and old > tombstone then
  -- A later number, or the same one with the memo, is the greater text.
  redis.call('SET', KEYS[2], old, 'PX', ARGV[3])
end
if freed then
  -- Only a hint: a server that does not let us publish releases all the same.
  redis.pcall('PUBLISH', ARGV[4], '')
end
return (freed or type(old) == 'table' or old == released) and 1 or 0
