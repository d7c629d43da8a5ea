-- Arms a debounced call, once for each call id. Times are kept in µs of the server's clock.
-- KEYS: record, memo of this call.
-- ARGV: args, the seq that this call got before or 0, wait ms, max wait ms or '', leading,
--       trailing, life of an armed record ms, life of a memo ms.
-- Returns {'armed', seq, due in ms} | {'suppressed', rest of the window in ms}.
local record, memo = KEYS[1], KEYS[2]
local again, wait, max = tonumber(ARGV[2]), ARGV[3] * 1000, tonumber(ARGV[4])
local f = redis.call('HMGET', record, 'seq', 'done', 'run_seq', 'due', 'first', 'max', 'lead',
  'window', 'until')
local seq, done, run_seq = tonumber(f[1] or 0), tonumber(f[2] or 0), tonumber(f[3] or 0)
local due, first, stored_max, lead = tonumber(f[4]), tonumber(f[5]), tonumber(f[6] or ''), f[7]
local window, lease_end = tonumber(f[8] or 0), tonumber(f[9] or 0)
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(number) return string.format('%.0f', number) end
local function ms_to(at) return math.max(0, math.ceil((at - now) / 1000)) end

local before = redis.call('GET', memo)
if again == 0 and before == 'suppressed' then
  return {'suppressed', ms_to(window)}
elseif again == 0 and before then
  return {'armed', before, ms_to(due or now)}
elseif again > 0 and (done >= again or seq >= again and (due or run_seq >= again)) then
  return {'armed', ARGV[2], ms_to(due or now)}
end

-- Unless the server lets us say when the record ends, there is none that was not there before.
local function kept(life)
  local answer = redis.pcall('PEXPIRE', record, text(life))
  if type(answer) == 'table' and not f[1] and not f[8] then
    redis.call('HDEL', record, 'seq', 'args', 'due', 'first', 'wait', 'max', 'lead', 'window')
  end
  return answer
end
local function bounded(at) return max and math.min(at, first + max * 1000) or at end
if not due and window > now and ARGV[6] == '0' then
  first, max = math.min(first, now), stored_max or max
  window = bounded(now + wait)
  redis.call('HSET', record, 'first', text(first), 'window', text(window))
  local life = math.max(redis.call('PTTL', record), ms_to(window) + tonumber(ARGV[8]))
  local answer = kept(life)
  if type(answer) == 'table' then return answer end
  redis.call('SET', memo, 'suppressed', 'PX', ARGV[8])
  return {'suppressed', ms_to(window)}
end

if due then
  -- The seq is also the time of the call, unless the clock was set back.
  first, max = math.min(first, now), math.min(stored_max or max or 0, max or stored_max or 0)
  if max == 0 then max = nil end
else
  first = again > 0 and math.min(again, now) or now
end
if due and lead == '1' then
  due = math.min(due, now)
elseif not due and window <= now and ARGV[5] == '1' then
  due, lead = now, '1'
else
  due, lead = bounded(now + wait), '0'
end
window = lead == '1' and bounded(now + wait) or due
seq = again > 0 and math.max(seq, again) or math.max(seq + 1, now)
redis.call('HSET', record, 'seq', text(seq), 'args', ARGV[1], 'due', text(due),
  'first', text(first), 'wait', text(wait), 'max', max and text(max) or '', 'lead', lead,
  'window', text(window))
local life = ms_to(math.max(due, window, lease_end)) + tonumber(ARGV[7])
local answer = kept(life)
if type(answer) == 'table' then return answer end
local mine = again > 0 and ARGV[2] or text(seq)
redis.call('SET', memo, mine, 'PX', ARGV[8])
return {'armed', mine, ms_to(due)}
