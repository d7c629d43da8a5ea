//! A script can neither run for ever, nor take the host's memory or stack, nor see the host.

use crate::scripting_support::Server;
use leasehold_fake_redis::ScriptRules;

const STOPPED: &str = "-ERR Script stopped: it ran for more than 200000 instructions";

fn server() -> Server {
    Server::new(stopped_soon(ScriptRules::default()))
}

fn stopped_soon(mut rules: ScriptRules) -> ScriptRules {
    rules.instructions = 200_000;
    rules
}

#[test]
fn a_runaway_script_is_stopped_whatever_it_catches() {
    let mut server = server();
    for script in [
        "while true do end",
        "repeat until false",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() return 1 end) end",
        "while true do xpcall(function() while true do end end, error) end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "while true do coroutine.wrap(function() end)() end",
        "coroutine.wrap(function() while true do end end)()",
        "return {xpcall(function() error('x') end, function(e) while true do end end)}",
        "return {xpcall(function() error('x') end, function(e)
             xpcall(function() error('x') end, function() while true do end end)
             while true do end
         end)}",
        "local thread = coroutine.wrap(function() while true do coroutine.yield() end end)
         while true do thread() end",
        "local thread = coroutine.create(function() while true do coroutine.yield() end end)
         while true do coroutine.resume(thread) end",
        "while true do coroutine.create(function() end) end",
        "return string.find(string.rep('a', 5000), '.-.-.-.-b')",
        "local function f() return f() end f()",
        "while true do redis.call('PING') end",
        "while true do redis.pcall('NOPE') end",
        "setmetatable({}, {__index = function(t, k) while true do end end}).x = nil
         return setmetatable({}, {__index = function(t, k) while true do end end}).x",
        "table.sort({3, 2, 1}, function() while true do end end)",
        "('x'):gsub('x', function() while true do end end)",
        "return loadstring('while true do end')()",
        "local t = {} for i = 1, 1e9 do t[1] = i end",
        "for w in function() return 1 end do end",
    ] {
        let reply = server.eval(script);
        assert!(reply.starts_with(STOPPED), "{script}: {reply}");
        assert_eq!(server.eval("return 1"), ":1", "after {script}");
    }
}

#[test]
fn long_work_outside_of_lua_counts_too() {
    let mut server = server();
    for script in [
        "return ('a'):rep(50):find(('a*'):rep(20) .. 'b')",
        "return ('a'):rep(3000):match('.-.-.-b')",
        "local s = ('x'):rep(1e5) while true do s:find('y') end",
        "local s = ('x'):rep(1e5) while true do s:gsub('x', 'y') end",
        "local s = ('x'):rep(1e5) for w in s:gmatch('y*z') do end while true do s:find('y') end",
        "local t = {} for i = 1, 1e4 do t[i] = i end while true do cjson.encode(t) end",
        "local s = ('x'):rep(1e5) while true do cjson.decode('\"' .. s .. '\"') end",
        "local t = {} for i = 1, 1e3 do t[i] = i end while true do cmsgpack.pack(t) end",
        "local t = {} for i = 1, 1e3 do t[i] = i end while true do table.insert(t, 1, 0) end",
        "while true do string.rep('', 1e9) end",
    ] {
        let reply = server.eval(script);
        assert!(reply.starts_with(STOPPED), "{script}: {reply}");
    }
}

#[test]
fn a_script_stops_at_the_same_place_whatever_ran_before() {
    let counts = "while true do redis.call('INCR', 'n') end";
    let (mut fresh, mut used) = (server(), server());
    fresh.eval(counts);
    used.eval("for i = 1, 777 do end");
    used.eval("local t = {} for i = 1, 1000 do t[i] = {} end");
    used.eval(counts);
    let count = fresh.ask(&["GET", "n"]);
    assert_eq!(used.ask(&["GET", "n"]), count);
    assert_ne!(count, "nil");
}

#[test]
fn a_stopped_script_is_treated_as_one_that_failed() {
    let script = "redis.call('SET', 'a', 'b') while true do end";
    let mut keeps = server();
    keeps.eval(script);
    assert_eq!(keeps.ask(&["GET", "a"]), "'b'");
    let mut undoes = Server::new(stopped_soon(ScriptRules::UPSTASH));
    undoes.eval(script);
    assert_eq!(undoes.ask(&["GET", "a"]), "nil");
}

#[test]
fn what_is_too_deep_or_too_large_is_refused() {
    let mut server = Server::new(ScriptRules::default());
    for (script, part) in [
        ("local function f() return 1 + f() end return f()", "stack overflow"),
        ("local function f() return (coroutine.wrap(f)()) end return f()", "overflow"),
        ("local function f() return (('x'):gsub('x', f)) end return f()", "overflow"),
        ("local function f() return (pcall(f)) end f() return 'alive'", "alive"),
        (
            "local t = {} setmetatable(t, {__index = function(t, k) return t[k + 1] end}) return t[1]",
            "overflow",
        ),
        (
            "local t = {} for i = 1, 1e5 do t = setmetatable({}, {__index = t}) end return t.x",
            "loop",
        ),
        ("return ('x'):rep(1e9)", "not enough memory"),
        ("local s = 'x' while true do s = s .. s end", "not enough memory"),
        ("local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end", "not enough memory"),
        ("return ('a'):rep(1e5):find(('a?'):rep(1e5))", "pattern too complex"),
        ("return ('a'):find(('('):rep(40))", "too many captures"),
        (
            "cjson.encode_max_depth(1e9) local t = {} t[1] = t return cjson.encode(t)",
            "nesting (1001)",
        ),
        (
            "cjson.decode_max_depth(1e9) return cjson.decode(('['):rep(1e6))",
            "too many nested data structures (1001)",
        ),
        ("return cmsgpack.unpack(('\\145'):rep(1e6))", "stack overflow"),
        ("return loadstring(('('):rep(1e5))", "nil"),
        ("return {unpack({}, 1, 1e7)}", "too many results to unpack"),
        ("return table.concat({}, 'x', 1, 1e9)", "invalid value"),
        ("return ('%99999d'):format(1)", "invalid format"),
        ("local t = {} t[1] = t return t", "reached lua stack limit"),
        ("struct.pack('i33', 1)", "larger than limit"),
        ("return struct.size('c2147483647c2147483647')", ":4294967294"),
    ] {
        let reply = server.eval(script);
        assert!(reply.contains(part), "{script}: {reply}");
        assert_eq!(server.eval("return 1"), ":1", "after {script}");
    }
}

#[test]
fn a_script_that_filled_the_memory_leaves_it_to_the_next() {
    let mut server = Server::new(ScriptRules::default());
    let fill = "local t = {} for i = 1, 200 do t[i] = ('x'):rep(1e6) .. i end return #t";
    for _ in 0..4 {
        assert_eq!(server.eval(fill), ":200");
    }
}

#[test]
fn scripts_that_are_kept_leave_memory_to_the_next() {
    let mut server = Server::new(ScriptRules::default());
    for digit in '0'..='9' {
        let long = String::from(digit).repeat(30_000_000);
        assert_eq!(server.eval(&format!("return #'{long}'")), ":30000000");
    }
}

#[test]
fn libraries_cannot_be_changed_by_any_function() {
    let mut server = Server::new(ScriptRules::default());
    for library in ["string", "table", "redis", "cjson", "cmsgpack", "bit", "struct", "_G"] {
        for change in [
            format!("{library}.x = 1"),
            format!("rawset({library}, 'x', 1)"),
            format!("table.insert({library}, 1)"),
            format!("setmetatable({library}, nil)"),
            format!("for k in pairs({library}) do {library}[k] = 1 end"),
        ] {
            let reply = server.eval(&change);
            assert!(reply.contains("Attempt to modify a readonly table"), "{change}: {reply}");
        }
        let reply = server.eval(&format!("local k, v = next({library}) return tostring(k)"));
        assert_eq!(reply, "'nil'", "{library} was changed");
    }
    let sorts = "table.sort(string) table.remove(string) return string.len('abc')";
    assert_eq!(server.eval(sorts), ":3");
}

#[test]
fn the_host_cannot_be_seen() {
    let mut server = Server::new(ScriptRules::default());
    for (script, reply) in [
        ("return tostring({})", "'table: 0x00000001'"),
        (
            "return {tostring(type), tostring({}), tostring(type)}",
            "['function: 0x00000001' 'table: 0x00000002' 'function: 0x00000001']",
        ),
        (
            "return tostring(setmetatable({}, {__tostring = function() return 'mine' end}))",
            "'mine'",
        ),
        ("return tostring(coroutine.create(function() end))", "'thread: 0x00000001'"),
        ("return tostring(cjson.null)", "'userdata: (nil)'"),
        ("return loadstring(string.dump(function() return 1 end)) == nil", ":1"),
        (
            "return type(select(2, coroutine.resume(coroutine.create(function() redis.call() end))))",
            "'table'",
        ),
        ("return type(select(2, pcall(error, redis)))", "'table'"),
        ("return getmetatable('').__index", "nil"),
        ("return getmetatable(_G).__index", "nil"),
        ("return tostring(rawget(_G, 'io')) .. tostring(rawget(_G, 'os'))", "'nilnil'"),
    ] {
        let found = server.eval(script);
        assert!(found.starts_with(reply), "{script}: {found}");
    }
}
