-- Frees a lean lock if it is under this token.
-- KEYS: lock, note that somebody waits.  ARGV: token, channel to tell of a release.
-- Returns 1, or 0 if the lock is not under the token.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if redis.call('DEL', KEYS[1], KEYS[2]) > 1 then
  -- Only a hint: a server that does not let us publish releases all the same.
  redis.pcall('PUBLISH', ARGV[2], '')
end
return 1
