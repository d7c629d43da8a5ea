-- Takes a lock, and makes a fence that grows even if the last one was forgotten.
-- KEYS: lock, fence, tombstone of the token's series.
-- ARGV: token, lease ms, fence life ms, the token's number in its series, tombstone life ms.
-- Returns the fence if this call took it | {'held', fence} | {'busy', remaining ms} | {'gone'}.
-- Numbers of as many digits are compared as text: it costs a tenth of making numbers of them.
local tombstone = redis.call('GET', KEYS[3])
if tombstone and tombstone >= ARGV[4] then
  return {'gone'}
end
local taken = redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX')
if not taken then
  local holder = redis.call('GET', KEYS[1])
  if holder ~= ARGV[1] then
    if tonumber(ARGV[4]) > 0 then
      redis.call('SET', KEYS[3], ARGV[4], 'PX', ARGV[5])
    end
    return {'busy', redis.call('PTTL', KEYS[1])}
  end
  local last = redis.call('GET', KEYS[2])
  if last and tonumber(last) > 0 then
    return {'held', last}
  end
end
local time = redis.pcall('TIME')
local fence, last = nil, time
if not time.err then
  fence = time[1] .. string.sub('00000' .. time[2], -6)
  -- Each call of a command costs as much as what it does, so the last one is read by writing.
  last = redis.pcall('SET', KEYS[2], fence, 'PX', ARGV[3], 'GET')
end
-- Without a fence, nothing is taken.
if type(last) == 'table' then
  if taken then
    redis.call('DEL', KEYS[1])
  end
  return last
end
if last and (#last > #fence or #last == #fence and last >= fence)
  and tonumber(last) >= tonumber(fence)
then
  fence = string.format('%.0f', last + 1)
  redis.call('SET', KEYS[2], fence, 'PX', ARGV[3])
end
return taken and fence or {'held', fence}
