-- Takes a lean lock if it is free, or says how long it is held. No tombstone is looked at, and no
-- fence is kept: the server's time is one.
-- KEYS: lock, note that somebody waits.
-- ARGV: token, lease ms, life of the note ms, or 0 for none.
-- Returns the fence if this call took it | {'held', fence} | {'busy', remaining ms}.
local taken = redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX')
if not taken and redis.call('GET', KEYS[1]) ~= ARGV[1] then
  if ARGV[3] ~= '0' then
    redis.call('SET', KEYS[2], '', 'PX', ARGV[3])
  end
  return {'busy', redis.call('PTTL', KEYS[1])}
end
local time = redis.pcall('TIME')
if time.err then
  -- Without a fence, nothing is taken.
  if taken then
    redis.call('DEL', KEYS[1])
  end
  return time
end
local fence = time[1] .. string.sub('00000' .. time[2], -6)
return taken and fence or {'held', fence}
