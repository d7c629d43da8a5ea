-- Frees a lock if it is under this token, and marks the token as gone, with those before it.
-- KEYS: lock, mark of the token's series.
-- ARGV: token, its number in the series, mark life ms, channel to tell of a release.
-- Returns 1 if the token was under the key, now or when an earlier copy of this call came.
local freed = redis.call('GET', KEYS[1]) == ARGV[1]
local text = freed and ARGV[2] .. ' released' or ARGV[2]
local old = redis.call('SET', KEYS[2], text, 'PX', ARGV[3], 'GET')
local mark, memo = string.match(old or '', '^(%d+)(.*)$')
local released = freed or (mark == ARGV[2] and memo == ' released')
if mark and (tonumber(mark) > tonumber(ARGV[2]) or released and not freed) then
  -- It said more.
  redis.call('SET', KEYS[2], old, 'PX', ARGV[3])
end
if freed then
  redis.call('DEL', KEYS[1])
  -- Only a hint: a server that does not let us publish releases all the same.
  redis.pcall('PUBLISH', ARGV[4], '')
end
return released and 1 or 0
