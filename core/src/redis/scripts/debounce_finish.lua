-- Ends a run: settles its calls if it went well, or arms them again.
-- KEYS: record, memo of this runner.
-- ARGV: runner, 1 if it went well, seq and fence of the claim or 0, retry delay ms,
--       life of an armed record ms, life of a settled one ms, life of a memo ms.
-- Returns {'finished'} | {'rearmed', due in ms} | {'dropped'} | {'stale'}.
local record, memo = KEYS[1], KEYS[2]
local f = redis.call('HMGET', record, 'seq', 'fired', 'done', 'due', 'runner', 'run_seq',
  'run_args', 'fence', 'window', 'until')
local seq, fired, done = tonumber(f[1] or 0), tonumber(f[2] or 0), tonumber(f[3] or 0)
local due, run_seq, last = tonumber(f[4]), tonumber(f[6] or 0), tonumber(f[8] or 0)
local ran, fence = tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(number) return string.format('%.0f', number) end
local function ms_to(at) return math.max(0, math.ceil((at - now) / 1000)) end

local outcome = redis.call('GET', memo)
if not outcome then
  local mine = f[5] == ARGV[1]
  local lease_end = mine and 0 or tonumber(f[10] or 0)
  -- First, since it needs no memory: what a script has begun, a server without memory lets it end.
  local function keep()
    local life = tonumber((due or lease_end > 0) and ARGV[6] or ARGV[7])
    life = life + ms_to(math.max(due or 0, lease_end, tonumber(f[9] or 0)))
    redis.call('PEXPIRE', record, text(life))
  end
  outcome = 'stale'
  -- A record with an older fence has forgotten this claim, and nobody claimed since.
  if ARGV[2] == '1' and (mine or fence > last) then
    outcome = 'finished'
    seq, fired, done = math.max(seq, ran), math.max(fired, ran), math.max(done, ran)
    local settles = due and seq <= ran
    if settles then due = nil end
    keep()
    redis.call('HSET', record, 'seq', text(seq), 'fired', text(fired), 'done', text(done),
      'fence', text(math.max(last, fence)))
    if settles then
      redis.call('HDEL', record, 'args', 'due', 'lead')
    end
    if not f[1] then
      -- There may have been no record yet.
      keep()
    end
  elseif ARGV[2] == '0' and mine then
    outcome = (due or run_seq > done) and 'rearmed' or 'dropped'
    local again = not due and run_seq > done
    if again then due = now + ARGV[5] * 1000 end
    keep()
    if again then
      redis.call('HSET', record, 'args', f[7], 'due', text(due), 'wait', text(ARGV[5] * 1000),
        'lead', '0')
    end
  end
  if mine then
    redis.call('HDEL', record, 'runner', 'run_seq', 'run_args', 'until', 'lease')
  end
  redis.call('SET', memo, outcome, 'PX', ARGV[8])
end
if outcome == 'rearmed' then
  return {outcome, ms_to(due or now)}
end
return {outcome}
