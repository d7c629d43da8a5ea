-- Builds what a script sees. Takes the functions that are written in Rust; returns the guarded
-- globals, the table behind them, and the function that runs a script.
local host = ...
local error, pcall, setmetatable, type, xpcall = error, pcall, setmetatable, type, xpcall
local raw_setmetatable, raw_set, raw_get = setmetatable, rawset, rawget

-- Tables that a script may read but not change are empty ones in front of the real ones, because
-- plain Lua 5.1 has no read-only tables. What is iterated over with pairs() is thus empty.
local behind = raw_setmetatable({}, {__mode = 'k'})
local READONLY = 'Attempt to modify a readonly table'
local locked = raw_setmetatable({}, {
  __newindex = function() error(READONLY, 2) end,
  __metatable = false,
})
behind[locked] = {}

local function guarded(real)
  local front = raw_setmetatable({}, {
    __index = real,
    __newindex = function() error(READONLY, 2) end,
    __metatable = locked,
  })
  behind[front] = real
  return front
end

-- An error raised in Rust arrives as userdata; scripts must see what Redis raises.
local function plain(problem)
  if type(problem) == 'userdata' then
    return host.plain(problem)
  end
  return problem
end

-- As in Redis 7, pcall() returns the text of an error that is a table.
local function settled(done, problem, ...)
  if not done then
    problem = plain(problem)
    if type(problem) == 'table' and type(problem.err) == 'string' then
      problem = problem.err
    end
  end
  return done, problem, ...
end

-- Compiled code is refused, as it could break the machine.
local raw_loadstring = loadstring
local function load_text(text, name)
  if type(text) == 'string' and text:byte(1) == 27 then
    return nil, 'bytecode is not allowed'
  end
  return raw_loadstring(text, name)
end

local function load_pieces(next_piece, name)
  local pieces = {}
  for piece in next_piece do
    if piece == '' then break end
    pieces[#pieces + 1] = piece
  end
  return load_text(table.concat(pieces), name or '=(load)')
end

local redis = {
  call = host.call,
  pcall = host.pcall,
  error_reply = host.error_reply,
  status_reply = host.status_reply,
  sha1hex = host.sha1hex,
  log = function() end,
  breakpoint = function() return false end,
  debug = function() end,
  replicate_commands = function() return true end,
  set_repl = function() end,
  setresp = function() end,
  LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
  REPL_NONE = 0, REPL_AOF = 1, REPL_SLAVE = 2, REPL_REPLICA = 2, REPL_ALL = 3,
  REDIS_VERSION = '7.0.15', REDIS_VERSION_NUM = 0x0007000f,
}
math.random, math.randomseed = host.random, host.randomseed

local globals = {
  _VERSION = _VERSION,
  assert = assert, error = error, getmetatable = getmetatable, ipairs = ipairs, next = next,
  pairs = pairs, rawequal = rawequal, select = select, tonumber = tonumber, tostring = tostring,
  type = type, unpack = unpack,
  -- The collector's figures differ from run to run, and a script must not switch it off.
  collectgarbage = function() return 0 end,
  gcinfo = function() return 0 end,
  load = load_pieces,
  loadstring = load_text,
  pcall = function(f, ...) return settled(pcall(f, ...)) end,
  xpcall = function(f, handler)
    return xpcall(f, function(problem) return handler(plain(problem)) end)
  end,
  rawget = function(t, key) return raw_get(behind[t] or t, key) end,
  rawset = function(t, key, value)
    if behind[t] then error(READONLY, 0) end
    return raw_set(t, key, value)
  end,
  setmetatable = function(t, meta)
    if behind[t] then error(READONLY, 0) end
    return raw_setmetatable(t, meta)
  end,
  coroutine = guarded(coroutine),
  math = guarded(math),
  redis = guarded(redis),
  string = guarded(string),
  table = guarded(table),
}
local of_strings = getmetatable('')
of_strings.__metatable = locked

local front = guarded(globals)
globals._G = front
raw_setmetatable(globals, {
  __index = function(_, name)
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
  end,
})

return front, globals, function(script) return xpcall(script, host.explain) end
