-- Frees a lock if it is under this token, and marks the token as gone, with those before it.
-- KEYS: lock, mark of the token's series.
-- ARGV: token, its number in the series, mark life ms, channel to tell of a release.
-- Returns 1 if the token was under the key, now or when an earlier copy of this call came.
local freed = redis.call('GET', KEYS[1]) == ARGV[1]
local released = ARGV[2] .. ' released'
local mark = freed and released or ARGV[2]
local old = redis.call('SET', KEYS[2], mark, 'PX', ARGV[3], 'GET')
-- A later number, or the same one with the memo, is the greater text.
if old and old > mark then
  redis.call('SET', KEYS[2], old, 'PX', ARGV[3])
end
if freed then
  redis.call('DEL', KEYS[1])
  -- Only a hint: a server that does not let us publish releases all the same.
  redis.pcall('PUBLISH', ARGV[4], '')
end
return (freed or old == released) and 1 or 0
