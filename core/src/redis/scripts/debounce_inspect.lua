-- What a record says.  KEYS: record.
-- Returns {'status', newest seq, fired, done, due in ms or -1, rest of the run lease in ms or -1}.
local f = redis.call('HMGET', KEYS[1], 'seq', 'fired', 'done', 'due', 'until')
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function ms_to(at)
  return at and math.max(0, math.ceil((tonumber(at) - now) / 1000)) or -1
end
return {'status', f[1] or '0', f[2] or '0', f[3] or '0', ms_to(f[4]), ms_to(f[5])}
