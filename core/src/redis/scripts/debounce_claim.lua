-- Claims what is due for one runner, or says why not.
-- KEYS: record, memo of this runner.
-- ARGV: runner, the seq that it stands for or 0, run lease ms, life of an armed record ms.
-- Returns {'settled', fired, done} | {'missing'} | {'spent'} | {'running', rest ms, newest seq}
--   | {'idle'} | {'notdue', due in ms, newest seq} | {'claimed', seq, fence, args, rest ms}.
local record, runner, asked, lease = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3] * 1000
local f = redis.call('HMGET', record, 'seq', 'fired', 'done', 'due', 'wait', 'args', 'runner',
  'run_seq', 'run_args', 'until', 'lease', 'fence', 'window')
local seq, fired, done = tonumber(f[1] or 0), tonumber(f[2] or 0), tonumber(f[3] or 0)
local due, wait, args = tonumber(f[4]), tonumber(f[5]), f[6]
local run_seq, lease_end = tonumber(f[8] or 0), tonumber(f[10] or 0)
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(number) return string.format('%.0f', number) end
local function ms_to(at) return math.max(0, math.ceil((at - now) / 1000)) end

-- A clock that was set back holds nothing up for longer than was asked for.
if due and due > now + wait then
  due = now + wait
  redis.call('HSET', record, 'due', text(due))
end
if f[7] and lease_end > now + tonumber(f[11]) then
  lease_end = now + tonumber(f[11])
  redis.call('HSET', record, 'until', text(lease_end))
end

local running = f[7] and lease_end > now
if asked > 0 and (fired >= asked or done >= asked and not (running and run_seq >= asked)) then
  return {'settled', text(fired), text(done)}
elseif seq < asked then
  return {'missing'}
elseif redis.call('EXISTS', KEYS[2]) == 1 then
  return {'spent'}
elseif running and f[7] == runner then
  return {'claimed', f[8], f[12], f[9], math.floor((lease_end - now) / 1000)}
elseif running then
  return {'running', ms_to(lease_end), text(seq)}
end
if not due then
  if not f[7] or run_seq <= done then
    return {asked > 0 and 'missing' or 'idle'}
  end
  -- The runner's lease is over, and nobody has called since: the same again.
  seq, args, due = run_seq, f[9], now
end
if due > now then
  return {'notdue', ms_to(due), text(seq)}
end

local fence = math.max(tonumber(f[12] or 0) + 1, now)
local life = ms_to(math.max(now + lease, tonumber(f[13] or 0))) + tonumber(ARGV[4])
-- First, since it needs no memory: what a script has begun, a server without memory lets it end.
redis.call('PEXPIRE', record, text(life))
redis.call('HSET', record, 'runner', runner, 'run_seq', text(seq), 'run_args', args,
  'until', text(now + lease), 'lease', text(lease), 'fence', text(fence))
redis.call('HDEL', record, 'args', 'due', 'lead')
return {'claimed', text(seq), text(fence), args, tonumber(ARGV[3])}
