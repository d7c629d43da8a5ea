-- Frees a lock if it is under this token, and remembers the token as gone.
-- KEYS: lock, tombstone of this token.  ARGV: token, tombstone life ms.
-- Returns 1 if the token was under the key, now or when an earlier copy of this call came.
local tombstone = redis.call('GET', KEYS[2])
local held = redis.call('GET', KEYS[1]) == ARGV[1]
if held then
  redis.call('DEL', KEYS[1])
end
local released = held or tombstone == 'released'
redis.call('SET', KEYS[2], released and 'released' or 'unheld', 'PX', ARGV[2])
return released and 1 or 0
