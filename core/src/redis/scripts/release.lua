-- Frees a lock if it is under this token, and marks the token as gone, with those before it.
-- KEYS: lock, mark of the token's series.
-- ARGV: token, its number in the series, mark life ms, channel to tell of a release.
-- Returns 1 if the token was under the key, now or when an earlier copy of this call came.
local mark, memo = string.match(redis.call('GET', KEYS[2]) or '', '^(%d+)(.*)$')
local released = mark == ARGV[2] and memo == ' released'
local freed = redis.call('GET', KEYS[1]) == ARGV[1]
if freed then
  redis.call('DEL', KEYS[1])
  released = true
end
if not mark or tonumber(mark) <= tonumber(ARGV[2]) then
  redis.call('SET', KEYS[2], ARGV[2] .. (released and ' released' or ''), 'PX', ARGV[3])
end
if freed then
  -- Only a hint: a server that does not let us publish releases all the same.
  redis.pcall('PUBLISH', ARGV[4], '')
end
return released and 1 or 0
