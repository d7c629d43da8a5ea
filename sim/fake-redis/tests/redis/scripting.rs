//! Scripts run as in Redis 7, and reach nothing but the keys. Error texts are those of 7.0.15.

use crate::redis_support::Server;

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";

fn eval(server: &mut Server, script: &str) -> String {
    server.ask_words(&["EVAL", script, "0"])
}

/// The error without the part that names the script.
fn error(server: &mut Server, script: &str) -> String {
    let reply = eval(server, script);
    let (message, place) = reply.split_once(" script: ").unwrap_or((&reply, ""));
    let line = place.split_once(", on @user_script:").and_then(|(_, line)| line.strip_suffix('.'));
    format!("{message} @{}", line.unwrap_or("nowhere"))
}

#[test]
fn lua_values_become_replies() {
    let mut server = Server::new();
    for (script, reply) in [
        ("return 3.99", ":3"),
        ("return -3.99", ":-3"),
        ("return 1e300", ":-9223372036854775808"),
        ("return true", ":1"),
        ("return false", "nil"),
        ("return nil", "nil"),
        ("return", "nil"),
        ("", "nil"),
        ("return 1, 2", ":1"),
        ("return 'x'", "x"),
        ("return {1, 2, nil, 3}", "[:1 :2]"),
        ("return {1, {2, 'x', false, true}}", "[:1 [:2 x nil :1]]"),
        ("return {ok = 'fine'}", "+fine"),
        ("return {err = 'MY error'}", "!MY error"),
        ("return {err = 1}", "[]"),
        ("return type", "nil"),
        ("return setmetatable({}, {__index = function() return 'x' end})", "[]"),
        ("return {{err = 'A b'}, {ok = 'c'}}", "[!A b +c]"),
        ("return {err = 'A' .. string.char(10) .. 'b'}", "!A b"),
        ("local t = {} t[1] = t return t", "!ERR reached lua stack limit"),
    ] {
        assert_eq!(eval(&mut server, script), reply, "{script}");
    }
}

#[test]
fn replies_become_lua_values() {
    let mut server = Server::new();
    server.ask("HSET h f v");
    for (script, reply) in [
        ("return type(redis.call('GET', 'nokey'))", "boolean"),
        ("return redis.call('SET', 'a', '1').ok", "OK"),
        ("return type(redis.call('INCR', 'a'))", "number"),
        ("return redis.call('GET', 'a')", "2"),
        ("return redis.call('HGETALL', 'h')[2]", "v"),
        ("return redis.pcall('GET', 'h').err", WRONG_TYPE),
        ("return {redis.pcall('GET', 'h'), 1}", &format!("[!{WRONG_TYPE} :1]")),
    ] {
        assert_eq!(eval(&mut server, script), reply, "{script}");
    }
}

#[test]
fn numbers_are_sent_to_commands_with_17_digits() {
    let mut server = Server::new();
    for (number, text) in [
        ("3.7", "3.7000000000000002"),
        ("12", "12"),
        ("99999999999999999", "1e+17"),
        ("123456789012345678", "1.2345678901234568e+17"),
        ("-0.0", "-0"),
        ("1/0", "inf"),
    ] {
        let script = format!("return redis.call('ECHO', {number})");
        assert_eq!(eval(&mut server, &script), text, "{number}");
    }
}

#[test]
fn keys_and_arguments_arrive() {
    let mut server = Server::new();
    let script = "return {KEYS[1], ARGV[1], #KEYS, #ARGV}";
    assert_eq!(server.ask_words(&["EVAL", script, "1", "k", "a", "b"]), "[k a :1 :2]");
    assert_eq!(eval(&mut server, "return {#KEYS, #ARGV}"), "[:0 :0]");
    let eval_with = |server: &mut Server, number| server.ask_words(&["EVAL", "return 1", number]);
    assert_eq!(eval_with(&mut server, "-1"), "!ERR Number of keys can't be negative");
    let refused = "!ERR Number of keys can't be greater than number of args";
    assert_eq!(eval_with(&mut server, "1"), refused);
}

#[test]
fn errors_name_the_script_and_the_line() {
    let mut server = Server::new();
    server.ask("SET s x");
    for (script, expected) in [
        ("error('boom')", "!ERR user_script:1: boom @1"),
        ("error('boom', 0)", "!ERR boom @1"),
        ("error({err = 'MY boom'})", "!MY boom @1"),
        ("error()", "!ERR nil @1"),
        (
            "\n\nlocal a = nil + 1",
            "!ERR user_script:3: attempt to perform arithmetic on a nil value @3",
        ),
        ("local function f()\n error('deep')\nend\nf()", "!ERR user_script:2: deep @2"),
        (
            "return redis.call()",
            "!ERR Please specify at least one argument for this redis lib call @1",
        ),
        (
            "redis.call('ECHO', {})",
            "!ERR Lua redis lib command arguments must be strings or integers @1",
        ),
        (
            "return redis.call('GET')",
            "!ERR Wrong number of args calling Redis command from script @1",
        ),
        ("return redis.call('NOPE')", "!ERR Unknown Redis command called from script @1"),
        (
            "return redis.call('EVAL', '', 0)",
            "!ERR This Redis command is not allowed from script @1",
        ),
        (
            "return math.random(0)",
            "!ERR user_script:1: bad argument #1 to 'random' (interval is empty) @1",
        ),
        ("return redis.sha1hex()", "!ERR wrong number of arguments @1"),
        (
            "assert(redis.call('SET', 'a', 'b', 'EX', 'x'))",
            "!ERR value is not an integer or out of range @1",
        ),
    ] {
        assert_eq!(error(&mut server, script), expected, "{script}");
    }
    assert_eq!(
        error(&mut server, "return redis.call('HGET', 's', 'f')"),
        format!("!{WRONG_TYPE} @1")
    );
    let compiling = "!ERR Error compiling script (new function): user_script:1: ";
    assert_eq!(eval(&mut server, "foo("), format!("{compiling}unexpected symbol near '<eof>'"));
}

#[test]
fn pcall_gives_the_text_and_xpcall_the_table() {
    let mut server = Server::new();
    server.ask("SET s x");
    let hget = "function() return redis.call('HGET', 's', 'f') end";
    let script = format!("local ok, e = pcall({hget}) return {{tostring(ok), e}}");
    assert_eq!(eval(&mut server, &script), format!("[false {WRONG_TYPE}]"));
    let script = format!("local ok, e = xpcall({hget}, function(e) return e.err end) return e");
    assert_eq!(eval(&mut server, &script), WRONG_TYPE);
}

#[test]
fn what_a_script_wrote_before_its_error_stays() {
    let mut server = Server::new();
    eval(&mut server, "redis.call('SET', 'a', 'b') error('boom')");
    assert_eq!(server.ask("GET a"), "b");
}

#[test]
fn scripts_are_known_by_their_sha1_until_flushed() {
    let sha1 = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
    let missing = "!NOSCRIPT No matching script. Please use EVAL.";
    let mut server = Server::new();
    assert_eq!(server.ask(&format!("EVALSHA {sha1} 0")), missing);
    assert_eq!(server.ask("EVALSHA abc 0"), missing);
    assert_eq!(server.ask_words(&["SCRIPT", "LOAD", "return 1"]), sha1);
    assert_eq!(server.ask(&format!("EVALSHA {} 0", sha1.to_uppercase())), ":1");
    assert_eq!(server.ask(&format!("SCRIPT EXISTS {sha1} x")), "[:1 :0]");
    assert_eq!(server.ask("SCRIPT FLUSH foo"), "!ERR SCRIPT FLUSH only support SYNC|ASYNC option");
    assert_eq!(server.ask("SCRIPT FLUSH"), "+OK");
    assert_eq!(server.ask(&format!("EVALSHA {sha1} 0")), missing);
    assert_eq!(server.ask_words(&["EVAL", "return 1", "0"]), ":1");
    assert_eq!(server.ask(&format!("EVALSHA {sha1} 0")), ":1", "EVAL remembers, too");
    let broken = server.ask_words(&["SCRIPT", "LOAD", "return ("]);
    assert!(broken.starts_with("!ERR Error compiling script"), "{broken}");
}

#[test]
fn nothing_of_the_host_is_in_reach() {
    let mut server = Server::new();
    for name in [
        "io", "os", "require", "package", "debug", "dofile", "loadfile", "print", "module",
        "getfenv", "setfenv", "newproxy",
    ] {
        let refused = format!(
            "!ERR user_script:1: Script attempted to access nonexistent global variable '{name}' @1"
        );
        assert_eq!(error(&mut server, &format!("return {name}")), refused);
    }
    let bytecode = "return loadstring(string.dump(function() return 1 end)) == nil";
    assert_eq!(eval(&mut server, bytecode), ":1");
    let pieces = "local s = string.dump(function() return 1 end)
        return load(function() local t = s s = nil return t end) == nil";
    assert_eq!(eval(&mut server, pieces), ":1");
    assert_eq!(eval(&mut server, "return loadstring('return 1')()"), ":1");
    let escape = "return loadstring('return io')()";
    assert!(eval(&mut server, escape).contains("nonexistent global variable 'io'"));
}

#[test]
fn globals_and_libraries_cannot_be_changed() {
    let mut server = Server::new();
    let refused = "!ERR user_script:1: Attempt to modify a readonly table @1";
    for script in [
        "x = 1",
        "function f() end",
        "KEYS = 1",
        "_G.x = 1",
        "string.x = 1",
        "table.x = 1",
        "math.random = nil",
        "redis.call = 1",
        "getmetatable('').__index = 1",
        "getmetatable(_G).__index = 1",
    ] {
        assert_eq!(error(&mut server, script), refused, "{script}");
    }
    for script in ["rawset(_G, 'x', 1)", "setmetatable(_G, {})", "rawset(string, 'len', 1)"] {
        let refused = "!ERR Attempt to modify a readonly table @1";
        assert_eq!(error(&mut server, script), refused, "{script}");
    }
    eval(&mut server, "KEYS.leak = 1; ARGV.leak = 1");
    assert_eq!(eval(&mut server, "return tostring(KEYS.leak) .. tostring(ARGV.leak)"), "nilnil");
    assert_eq!(eval(&mut server, "return getmetatable(getmetatable(_G))"), "nil");
}

#[test]
fn a_script_that_eats_memory_fails_and_the_next_one_runs() {
    let mut server = Server::new();
    let reply =
        eval(&mut server, "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end");
    assert!(reply.contains("not enough memory"), "{reply}");
    assert_eq!(eval(&mut server, "return 1"), ":1");
}

#[test]
fn time_stands_still_in_a_script_and_random_numbers_go_on() {
    let mut server = Server::new();
    server.ask("SET a b PX 10");
    server.now_ms += 10;
    let time = "return {redis.call('TIME')[1], redis.call('TIME')[2], redis.call('PTTL', 'a')}";
    assert_eq!(eval(&mut server, time), "[1700000000 10000 :0]");
    assert_eq!(eval(&mut server, "return tostring(math.random())"), "0.39646477363839");
    assert_eq!(eval(&mut server, "return tostring(math.random())"), "0.84048536971234");
    assert_eq!(eval(&mut server, "math.randomseed(5) return math.random(3, 1000)"), ":526");
}

#[test]
fn a_call_takes_thousands_of_arguments_however_many_scripts_are_kept() {
    let mut server = Server::new();
    for number in 0..900 {
        eval(&mut server, &format!("return {number}"));
    }
    for count in [10, 7_000, 7_980] {
        let script = format!(
            "local t = {{}} for i = 1, {count} do t[i] = 'v' .. i end \
             return redis.call('rpush', {count}, unpack(t))"
        );
        assert_eq!(eval(&mut server, &script), format!(":{count}"));
    }
}
