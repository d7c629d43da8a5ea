//! Values, errors and the library `redis` for scripts. The replies are those of Redis 7.0.15.

use crate::scripting_support::{Server, check};
use bytes::Bytes;
use leasehold_fake_redis::{Resp, ScriptRules};

fn server_with_keys() -> Server {
    let mut server = Server::new(ScriptRules::REDIS);
    server.ask(&["HSET", "h", "f", "v"]);
    server.ask(&["SET", "str", "x"]);
    server
}

#[test]
fn errors_are_raised_caught_and_told_as_in_redis() {
    let mut server = server_with_keys();
    check(&mut server, ERRORS);
    assert_eq!(server.eval("return redis.error_reply('')"), "-ERR ");
}

#[test]
fn the_library_redis_answers_as_in_redis() {
    check(&mut server_with_keys(), API);
}

#[test]
fn errors_and_states_are_bytes() {
    let mut server = Server::new(ScriptRules::REDIS);
    let mut told = |script: &str| match server
        .0
        .execute(0, &[b"EVAL", script.as_bytes(), b"0"].map(Bytes::copy_from_slice))
    {
        Resp::Error(text) | Resp::Simple(text) => Resp::bytes_of(&text).into_owned(),
        other => panic!("{other:?}"),
    };
    for (script, bytes) in [
        (r"return redis.error_reply('E \255\240')", &b"E \xff\xf0"[..]),
        (r"return redis.status_reply('\255')", b"\xff"),
        (r"return {ok = '\244\143\191\191'}", "\u{10ffff}".as_bytes()),
        (r"return {err = '\255\n'}", b"\xff "),
    ] {
        assert_eq!(told(script), bytes, "{script}");
    }
    for (script, begin) in [
        (r"error('\255x')", &b"ERR user_script:1: \xffx script: "[..]),
        (r"error({err = 'A \255'})", b"A \xff script: "),
        (
            r"redis.call('GET')",
            b"ERR Wrong number of args calling Redis command from script script: ",
        ),
        (r"redis.call('CONFIG', '\255')", b"ERR Unknown Redis command called from script script: "),
    ] {
        let bytes = told(script);
        assert!(bytes.starts_with(begin), "{script}: {}", bytes.escape_ascii());
    }
    let caught = r"local _, text = pcall(error, '\255') return text";
    assert_eq!(server.eval(caught), r"'\xff'");
    let of_command = r"return redis.pcall('XGROUP', 'CREATECONSUMER', 'k', '\255', 'c').err";
    server.ask(&["XADD", "k", "1-1", "f", "v"]);
    let text = r"'NOGROUP No such consumer group '\xff' for key name 'k''";
    assert_eq!(server.eval(of_command).replace(r"\'", "'"), text);
}

#[test]
fn resp3_kinds_pass_in_both_directions() {
    check(&mut server_with_keys(), RESP3);
}

#[test]
fn plain_lua_behaves_as_in_redis() {
    check(&mut server_with_keys(), PLAIN);
}

#[test]
fn a_reply_of_any_length_passes_to_a_script() {
    let mut server = Server::new(ScriptRules::REDIS);
    for thousand in 0..20 {
        let items: Vec<_> = (0..1_000).map(|item| format!("{thousand}.{item}")).collect();
        for command in [["RPUSH", "l"], ["HSET", "h"]] {
            let words = command.into_iter().chain(items.iter().map(|item| &**item));
            server.ask(&words.collect::<Vec<_>>());
        }
    }
    for resp3 in ["", "redis.setresp(3) "] {
        let length = format!("{resp3}return #redis.call('LRANGE', 'l', 0, -1)");
        assert_eq!(server.eval(&length), ":20000");
    }
    assert_eq!(server.eval("return #redis.call('HGETALL', 'h')"), ":20000");
    assert_eq!(server.eval("return redis.call('LRANGE', 'l', 0, -1)[20000]"), "'19.999'");
}

/// Errors.
const ERRORS: &str = r#"
return redis.error_reply() --> -ERR wrong number or type of arguments
return redis.error_reply('x') --> -ERR x
return redis.error_reply('-x y') --> -x y
return redis.error_reply('-x') --> -ERR x
return redis.error_reply('a b','c') --> -ERR wrong number or type of arguments
return redis.error_reply(1) --> -ERR wrong number or type of arguments
local c=coroutine.create(function() error('x') end) local a,b = coroutine.resume(c) return {tostring(a),b}
    --> ['false' 'user_script:1: x']
local c=coroutine.create(function() error({err='x'}) end) local a,b = coroutine.resume(c) return {tostring(a),b}
    --> ['false' -x]
return {xpcall(function() error('x') end, function(e) return 'H:'..e end)}
    --> [nil 'H:user_script:1: x']
return {pcall(error)} --> [nil]
return {pcall(error, {err='x'})} --> [nil 'x']
return {pcall(error, {a='x'})} --> [nil []]
return {pcall(redis.call,'set')}
    --> [nil 'ERR Wrong number of args calling Redis command from script']
return {pcall(redis.call,'nope')} --> [nil 'ERR Unknown Redis command called from script']
return redis.pcall('set') --> -ERR Wrong number of args calling Redis command from script
return redis.pcall() --> -ERR Please specify at least one argument for this redis lib call
return {pcall(redis.pcall,'nope')} --> [:1 -ERR Unknown Redis command called from script]
error('x', 2) --> -ERR x @1
local f = function() error('y', 2) end f() --> -ERR user_script:1: y @1
error(nil) --> -ERR nil @1
error(true) --> -ERR true @1
error(12) --> -ERR user_script:1: 12 @1
return redis.error_reply('My Err') --> -My Err
return {err='ERR foo', ignore_error_stats_update=true} --> -ERR foo
return redis.pcall('HGET', 'str', 'f')
    --> -WRONGTYPE Operation against a key holding the wrong kind of value
return redis.pcall('HGET', 'str', 'f').err
    --> 'WRONGTYPE Operation against a key holding the wrong kind of value'
local r = redis.pcall('HGET', 'str', 'f') return {r.err, tostring(r.ok), tostring(r.source), tostring(r.line), tostring(r.ignore_error_stats_update)}
    --> ['WRONGTYPE Operation against a key holding the wrong kind of value' 'nil' 'nil' 'nil' 'true']
local ok, r = pcall(redis.call, 'HGET', 'str', 'f') return {type(r), r}
    --> ['string' 'WRONGTYPE Operation against a key holding the wrong kind of value']
local ok, r = xpcall(function() return redis.call('HGET', 'str', 'f') end, function(e) return e end) return {type(r), r}
    --> ['table' -WRONGTYPE Operation against a key holding the wrong kind of value]
local ok, r = xpcall(function() return redis.call('HGET', 'str', 'f') end, function(e) return {type(e), tostring(e.err), tostring(e.source), tostring(e.line)} end) return r
    --> ['table' 'WRONGTYPE Operation against a key holding the wrong kind of value' 'nil' 'nil']
error(redis.error_reply('MY CODE')) --> -MY CODE @1
error(redis.pcall('HGET', 'str', 'f'))
    --> -WRONGTYPE Operation against a key holding the wrong kind of value @1
assert(false) --> -ERR user_script:1: assertion failed! @1
assert(false, 'msg') --> -ERR user_script:1: msg @1
assert(nil, {err='X y'})
    --> -ERR user_script:1: bad argument #2 to 'assert' (string expected, got table) @1
return assert(1, 2) --> :1
return pcall(loadstring('x = 1')) --> nil
"#;

/// `redis.call` and its like.
const API: &str = r#"
return redis.call('set','a','b') --> +OK
return redis.call('get','zz') --> nil
return redis.call('incr') --> -ERR Wrong number of args calling Redis command from script @1
return redis.call('publish','a','b') --> :0
return redis.call('hgetall','h') --> ['f' 'v']
return redis.log() --> -ERR redis.log() requires two arguments or more. @1
return redis.log(1) --> -ERR redis.log() requires two arguments or more. @1
return redis.log('x','y') --> -ERR First argument must be a number (log level). @1
return redis.log(9,'y') --> -ERR Invalid debug level. @1
return redis.log(redis.LOG_WARNING,'a','b') --> nil
return redis.log(2,{}) --> nil
return redis.replicate_commands() --> :1
return redis.set_repl() --> -ERR redis.set_repl() requires two arguments. @1
return redis.set_repl(redis.REPL_ALL) --> nil
return redis.set_repl(9)
    --> -ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE. @1
return redis.set_repl('x') --> nil
return redis.breakpoint() --> nil
return redis.sha1hex() --> -ERR wrong number of arguments @1
return redis.sha1hex('a','b') --> -ERR wrong number of arguments @1
return redis.sha1hex({}) --> 'da39a3ee5e6b4b0d3255bfef95601890afd80709'
return redis.sha1hex(nil) --> 'da39a3ee5e6b4b0d3255bfef95601890afd80709'
return redis.sha1hex(1) --> '356a192b7913b04c54574d18c28d46e6395428ab'
return redis.status_reply(1) --> -ERR wrong number or type of arguments
return redis.status_reply('x') --> +x
return redis.status_reply('a\nb') --> +a b
return redis.REDIS_VERSION --> '7.0.15'
return redis.REDIS_VERSION_NUM --> :458767
return {redis.LOG_DEBUG,redis.REPL_ALL,redis.REPL_SLAVE,redis.REPL_REPLICA,redis.REPL_AOF,redis.REPL_NONE}
    --> [:0 :3 :2 :2 :1 :0]
local c=coroutine.create(function() redis.call('set','a') end) return {coroutine.resume(c)}
    --> [nil -ERR Wrong number of args calling Redis command from script]
return coroutine.wrap(function() return redis.call('set') end)()
    --> -ERR Wrong number of args calling Redis command from script @1
redis.call('eval') --> -ERR Wrong number of args calling Redis command from script @1
redis.call('script') --> -ERR Wrong number of args calling Redis command from script @1
redis.call('script','foo') --> -ERR Unknown Redis command called from script @1
redis.call('script','load') --> -ERR Wrong number of args calling Redis command from script @1
redis.call('ping','a','b','c') --> -ERR wrong number of arguments for 'ping' command @1
return redis.call('ping') --> +PONG
return redis.call('get', true)
    --> -ERR Lua redis lib command arguments must be strings or integers @1
return redis.call(true) --> -ERR Lua redis lib command arguments must be strings or integers @1
return redis.call({}) --> -ERR Lua redis lib command arguments must be strings or integers @1
return redis.call(1) --> -ERR Unknown Redis command called from script @1
return redis.call('set','k',2^53) --> +OK
return redis.call('get','k') --> '9007199254740992'
return redis.call('set','k','v','ex') --> -ERR syntax error @1
return redis.call('incr','str') --> -ERR value is not an integer or out of range @1
return redis.call('GET', KEYS[1])
    --> -ERR Lua redis lib command arguments must be strings or integers @1
return redis.call('GET', nil)
    --> -ERR Lua redis lib command arguments must be strings or integers @1
local a = redis.call('SET', 'x', 1) return a --> +OK
local a = redis.call('SET', 'x', 1) return a['ok'] --> 'OK'
return redis.call('SET', 'x', 1.5) --> +OK
return redis.call('GET', 'x') --> '1.5'
redis.call('HGET', 'str', 'f')
    --> -WRONGTYPE Operation against a key holding the wrong kind of value @1
local function f() redis.call('HGET', 'str', 'f') end f()
    --> -WRONGTYPE Operation against a key holding the wrong kind of value @1
return redis.call('EXPIRE', 'x', 10.7) --> -ERR value is not an integer or out of range @1
return redis.call('SET', 'y', 'v', 'PX', 3.0) --> +OK
return redis.call('SET', 'y', 'v', 'PX', 3.5) --> -ERR value is not an integer or out of range @1
"#;

/// With `redis.setresp`, and tables that stand for kinds of RESP3.
const RESP3: &str = r#"
redis.setresp(3) return true --> #true
redis.setresp(3) return false --> #false
redis.setresp(3) return nil --> nil
return {double=3.5} --> ,3.5
return {map={a=1,b=true}} --> %{'a'=:1 'b'=:1}
return {set={a=true,b=true}} --> ~['a' 'b']
return {big_number='123'} --> (123
return {big_number=123} --> []
return {verbatim_string={format='txt',string='hi'}} --> =hi
return {verbatim_string={format='txtx',string='hi'}} --> =hi
return {verbatim_string={string='hi'}} --> []
return {double='3.5'} --> []
return {map=1} --> []
return {set=1} --> []
return {double=1/0} --> ,inf
return {double=1e100} --> ,1e+100
return {double=0/0} --> ,-nan
return {double=3} --> ,3
return {double=0.1} --> ,0.10000000000000001
redis.setresp(3) return redis.call('hgetall','h') --> %{'f'='v'}
redis.setresp(3) return redis.call('hgetall','h').map.f --> 'v'
redis.setresp(3) return type(redis.call('get','nope')) --> 'nil'
redis.setresp(3) return {redis.call('get','nope'), 1} --> []
return redis.setresp(3) --> nil
redis.setresp(4) --> -ERR RESP version must be 2 or 3. @1
redis.setresp() --> -ERR redis.setresp() requires one argument. @1
redis.setresp('3') --> nil
redis.setresp(1) --> -ERR RESP version must be 2 or 3. @1
redis.setresp(3) redis.setresp(2) return redis.call('hgetall','h') --> ['f' 'v']
redis.setresp(2) return true --> :1
return {err='x', ok='y'} --> -x
return {ok='y', double=1} --> +y
return {double=1, map={}} --> ,1
redis.setresp(3) return {map={[1]='x'}} --> %{:1='x'}
return {map={a={b={map={c=1}}}}} --> %{'a'=[]}
redis.setresp(3) return {set={[1]=false}} --> ~[:1]
"#;

/// The rest.
const PLAIN: &str = r#"
return true --> :1
return false --> nil
return type(os)
    --> -ERR user_script:1: Script attempted to access nonexistent global variable 'os' @1
local t={} for k in pairs(os) do t[#t+1]=k end return t
    --> -ERR user_script:1: Script attempted to access nonexistent global variable 'os' @1
return tostring(os.clock())
    --> -ERR user_script:1: Script attempted to access nonexistent global variable 'os' @1
return os.time()
    --> -ERR user_script:1: Script attempted to access nonexistent global variable 'os' @1
return tostring(nil) --> 'nil'
return loadstring('return 1')() --> :1
return load(function() return nil end) --> nil
return {loadstring('x x')} --> []
return {loadstring('\27Lua')} --> []
return rawlen
    --> -ERR user_script:1: Script attempted to access nonexistent global variable 'rawlen' @1
return rawset(_G,'x',1) --> -ERR Attempt to modify a readonly table @1
return setmetatable(string,{}) --> -ERR Attempt to modify a readonly table @1
return getmetatable('').x --> nil
getmetatable('').__index=1 --> -ERR user_script:1: Attempt to modify a readonly table @1
return getmetatable(_G).__index --> nil
return newproxy
    --> -ERR user_script:1: Script attempted to access nonexistent global variable 'newproxy' @1
return getfenv
    --> -ERR user_script:1: Script attempted to access nonexistent global variable 'getfenv' @1
return print
    --> -ERR user_script:1: Script attempted to access nonexistent global variable 'print' @1
return coroutine.wrap(function() return 5 end)() --> :5
return coroutine.yield(1) --> -ERR attempt to yield across metamethod/C-call boundary @1
return pairs(nil) --> -ERR user_script:1: bad argument #1 to 'pairs' (table expected, got nil) @1
for k in pairs() do end
    --> -ERR user_script:1: bad argument #1 to 'pairs' (table expected, got no value) @1
for k in pairs(nil) do end
    --> -ERR user_script:1: bad argument #1 to 'pairs' (table expected, got nil) @1
for k in ipairs(nil) do end
    --> -ERR user_script:1: bad argument #1 to 'ipairs' (table expected, got nil) @1
return tostring() --> -ERR user_script:1: bad argument #1 to 'tostring' (value expected) @1
return next(nil) --> -ERR user_script:1: bad argument #1 to 'next' (table expected, got nil) @1
return select(0) --> -ERR user_script:1: bad argument #1 to 'select' (index out of range) @1
return unpack()
    --> -ERR user_script:1: bad argument #1 to 'unpack' (table expected, got no value) @1
return unpack({},1,1e8) --> -ERR user_script:1: too many results to unpack @1
return rawget(1,2)
    --> -ERR user_script:1: bad argument #1 to 'rawget' (table expected, got number) @1
local function f() return f() end return 1 --> :1
local function f() return 1 + f() end return f() --> -ERR user_script:1: stack overflow @1
return setmetatable({}, 1)
    --> -ERR user_script:1: bad argument #2 to 'setmetatable' (nil or table expected) @1
return setmetatable(1, {})
    --> -ERR user_script:1: bad argument #1 to 'setmetatable' (table expected, got number) @1
return setmetatable({})
    --> -ERR user_script:1: bad argument #2 to 'setmetatable' (nil or table expected) @1
local t = {1,2,3,nil,5} return t --> [:1 :2 :3]
return {1,2,[4]=4} --> [:1 :2]
return tostring(2^53) --> '9.007199254741e+15'
return tostring(1e15) --> '1e+15'
return 2^63 --> :-9223372036854775808
return -2^63 --> :-9223372036854775808
return 0/0 --> :-9223372036854775808
return {0.5, -0.5, 1.999} --> [:0 :0 :1]
return 'a\0b' --> 'a\x00b'
return {err=''} --> -
return {err='a'} --> -a
return {ok=''} --> +
return {select('#', 1, nil, 3)} --> [:3]
return {select(-1, 1, 2, 3)} --> [:3]
return {unpack({1,2,3}, 2)} --> [:2 :3]
return tonumber('0x10') --> :16
return tonumber('10', 2) --> :2
return tostring(tonumber('zz')) --> 'nil'
return #KEYS --> :0
return ARGV[1] --> nil
return {KEYS, ARGV} --> [[] []]
return _VERSION --> 'Lua 5.1'
return {1,2,3,nil} --> [:1 :2 :3]
return {nil} --> []
return {false, 1} --> [nil :1]
return {true, false, 'x', {nil, 1}} --> [:1 nil 'x' []]
return {['a']=1} --> []
return 1e15 + 0.5 --> :1000000000000000
return '1' + 1 --> :2
return 10 / 3 --> :3
return -0.0 --> :0
local t = setmetatable({}, {__index = function(t, k) return k * 2 end}) return t[21] --> :42
return rawequal('a', 'a') --> :1
return type(redis) --> 'table'
return next({}) --> nil
x = 1 --> -ERR user_script:1: Attempt to modify a readonly table @1
local function f() x = 1 end f() --> -ERR user_script:1: Attempt to modify a readonly table @1
return x --> -ERR user_script:1: Script attempted to access nonexistent global variable 'x' @1
if x then end --> -ERR user_script:1: Script attempted to access nonexistent global variable 'x' @1
return _G.x --> -ERR user_script:1: Script attempted to access nonexistent global variable 'x' @1
return rawget(_G, 'x') --> nil
return coroutine.status(coroutine.create(function() end)) --> 'suspended'
return {coroutine.resume(coroutine.create(function(a) local b = coroutine.yield(a) return b end), 1)}
    --> [:1 :1]
goto x --> -ERR Error compiling script (new function): user_script:1: '=' expected near 'x'
return 1 // 2
    --> -ERR Error compiling script (new function): user_script:1: unexpected symbol near '/'
return "unfinished
    --> -ERR Error compiling script (new function): user_script:1: unfinished string near '<eof>'
return 1 +
    --> -ERR Error compiling script (new function): user_script:1: unexpected symbol near '<eof>'
for --> -ERR Error compiling script (new function): user_script:1: '<name>' expected near '<eof>'
local x <const> = 1
    --> -ERR Error compiling script (new function): user_script:1: unexpected symbol near '<'
"#;
