-- Builds what a script sees. Takes the functions that are written in Rust; returns the guarded
-- globals, the table behind them, and the function that runs a script with its keys and arguments.
local host = ...
local error, pcall, type, xpcall = error, pcall, type, xpcall
local raw_setmetatable = setmetatable
local basics = host.basics

-- Tables that a script may read but not change are empty ones in front of the real ones, because
-- plain Lua 5.1 has no read-only tables.
local behind = host.behind
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

-- What a script must not catch is raised again. It may have been lost in a handler of its own.
local function going_on(...)
  host.check()
  return ...
end

local function resumed(done, problem, ...)
  if not done then
    problem = plain(problem)
  end
  return done, problem, ...
end

-- To go on with a coroutine takes longer than an instruction.
local resume = coroutine.resume
coroutine.resume = function(thread, ...)
  host.charge()
  return resumed(resume(thread, ...))
end

-- Compiled code is refused, as it could break the machine.
local raw_loadstring = loadstring
local function load_text(text, name)
  if type(text) ~= 'string' and type(text) ~= 'number' then
    error("bad argument #1 to 'loadstring' (string expected, got " .. type(text) .. ')', 2)
  end
  if type(text) == 'string' and text:byte(1) == 27 then
    return nil, 'bytecode is not allowed'
  end
  return raw_loadstring(text, name)
end

local function load_pieces(next_piece, name)
  if type(next_piece) ~= 'function' then
    error("bad argument #1 to 'load' (function expected, got " .. type(next_piece) .. ')', 2)
  end
  local pieces = {}
  for piece in next_piece do
    if piece == '' then break end
    pieces[#pieces + 1] = piece
  end
  return load_text(table.concat(pieces), name or '=(load)')
end

local redis = host.redis
redis.breakpoint = function() return false end
redis.debug = function() end
redis.replicate_commands = function() return true end
redis.LOG_DEBUG, redis.LOG_VERBOSE, redis.LOG_NOTICE, redis.LOG_WARNING = 0, 1, 2, 3
redis.REPL_NONE, redis.REPL_AOF, redis.REPL_SLAVE, redis.REPL_REPLICA, redis.REPL_ALL = 0, 1, 2, 2, 3
redis.REDIS_VERSION, redis.REDIS_VERSION_NUM = '7.0.15', 0x0007000f

string.rep, table.insert = host.rep, host.insert
math.random, math.randomseed = host.random, host.randomseed

local globals = {
  _VERSION = _VERSION,
  assert = assert, error = error, getmetatable = getmetatable, ipairs = ipairs, next = next,
  pairs = basics.pairs, rawequal = rawequal, select = select, tonumber = tonumber, tostring = basics.tostring,
  type = type, unpack = unpack,
  -- The collector's figures differ from run to run, and a script must not switch it off.
  collectgarbage = function() return 0 end,
  gcinfo = function() return 0 end,
  load = load_pieces,
  loadstring = load_text,
  pcall = function(f, ...) return settled(pcall(f, ...)) end,
  xpcall = function(f, handler)
    -- An error of the hook runs the handler inside of the hook, where nothing is counted: so a
    -- script that has nothing left does not get there.
    local function handle(problem)
      host.check()
      return handler(plain(problem))
    end
    return going_on(xpcall(f, handle))
  end,
  rawget = basics.rawget,
  rawset = basics.rawset,
  setmetatable = basics.setmetatable,
  bit = guarded(host.bit),
  cjson = guarded(host.cjson),
  cmsgpack = guarded(host.cmsgpack),
  coroutine = guarded(coroutine),
  math = guarded(math),
  redis = guarded(redis),
  string = guarded(string),
  struct = guarded(host.struct),
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

return front, globals, function(script, keys, arguments)
  globals.KEYS, globals.ARGV = keys, arguments
  return xpcall(script, host.explain)
end
