//! The first line of a script, and what it allows. The replies are those of Redis 7.0.15.

use crate::scripting_support::Server;
use leasehold_fake_redis::ScriptRules;

#[test]
fn the_first_line_is_read_as_in_redis() {
    let mut server = Server::new(ScriptRules::REDIS);
    for (script, reply) in SHEBANG {
        assert_eq!(server.eval(script), *reply, "{script}");
    }
}

/// First lines.
const SHEBANG: &[(&str, &str)] = &[
    ("#!lua\nreturn 1", ":1"),
    (
        "#!lua flags=no-writes\nreturn redis.call('set','a','b')",
        "-ERR Write commands are not allowed from read-only scripts. @2",
    ),
    ("#!lua name=x\nreturn 1", "-ERR Unknown lua shebang option: name=x"),
    ("#!lua flags=bogus\nreturn 1", "-ERR Unexpected flag in script shebang: bogus"),
    ("#!lua flags=\nreturn 1", ":1"),
    (
        "#!lua flags=no-writes,allow-stale,no-cluster,allow-oom,allow-cross-slot-keys\nreturn 1",
        ":1",
    ),
    (
        "#!lua flags=allow-key-locking\nreturn 1",
        "-ERR Unexpected flag in script shebang: allow-key-locking",
    ),
    ("#!python\nreturn 1", "-ERR Unexpected engine in script shebang: #!python"),
    ("#!lua", "-ERR Invalid script shebang"),
    ("#!lua foo\nreturn 1", "-ERR Unknown lua shebang option: foo"),
    ("#!", "-ERR Invalid script shebang"),
    ("#!\nreturn 1", "-ERR Unexpected engine in script shebang: #!"),
    ("#!lua  flags=no-writes\nreturn 2", ":2"),
    (
        "#!lua flags=no-writes flags=allow-oom\nreturn redis.call('set','a',1)",
        "-ERR Write commands are not allowed from read-only scripts. @2",
    ),
    ("#!lua flags='no-writes'\nreturn 1", ":1"),
    ("#!LUA\nreturn 1", "-ERR Unexpected engine in script shebang: #!LUA"),
    ("#!lua flags=no-writes,\nreturn 1", "-ERR Unexpected flag in script shebang: "),
    ("#!lua flags=no-writes\r\nreturn 1", ":1"),
    ("#!lua\treturn\nreturn 7", "-ERR Unknown lua shebang option: return"),
    ("#!lua \"\nreturn 1", "-ERR Invalid engine in script shebang"),
    ("#!lua flags= no-writes\nreturn 1", "-ERR Unknown lua shebang option: no-writes"),
    ("#!lua\nerror('x')", "-ERR user_script:2: x @2"),
    (
        "#!lua\nreturn foo",
        "-ERR user_script:2: Script attempted to access nonexistent global variable 'foo' @2",
    ),
    (
        "#!lua flags=no-writes\nreturn redis.call('publish','a','b')",
        "-ERR Write commands are not allowed from read-only scripts. @2",
    ),
    (
        "#!lua flags=no-writes\nreturn redis.pcall('publish','a','b')",
        "-ERR Write commands are not allowed from read-only scripts.",
    ),
    ("#! lua\nreturn 1", "-ERR Unexpected engine in script shebang: #!"),
    ("#!lua flags=no-writes\nreturn redis.call('get','a')", "nil"),
    ("#!lua flags=no-writes\nreturn 1", ":1"),
];

#[test]
fn a_script_that_promises_not_to_write_is_held_to_it() {
    let mut server = Server::new(ScriptRules::REDIS);
    let refused = "-ERR Write commands are not allowed from read-only scripts. @";
    let writes = "return redis.call('SET', 'a', 'b')";
    let promised = "#!lua flags=no-writes\nreturn redis.call('SET', 'a', 'b')";
    for command in ["EVAL_RO", "EVALSHA_RO"] {
        for (script, reply) in [
            (writes, format!("{refused}1")),
            (promised, format!("{refused}2")),
            ("return redis.call('PUBLISH', 'a', 'b')", format!("{refused}1")),
            (
                "return redis.pcall('SET', 'a', 'b').err",
                format!("'{}'", refused[1..].trim_end_matches(" @")),
            ),
            (
                "#!lua\nreturn 1",
                "-ERR Can not execute a script with write flag using *_ro command.".into(),
            ),
            ("#!lua flags=no-writes\nreturn 1", ":1".into()),
            ("return redis.call('GET', 'a')", "nil".into()),
        ] {
            let sent = match command {
                "EVALSHA_RO" => {
                    let sha1 = server.ask(&["SCRIPT", "LOAD", script]);
                    sha1.trim_matches('\'').to_owned()
                }
                _ => script.to_owned(),
            };
            assert_eq!(server.ask(&[command, &sent, "0"]), reply, "{command} {script}");
        }
    }
    assert_eq!(server.eval(promised), format!("{refused}2"));
}

#[test]
fn with_key_locking_only_named_keys_may_be_used() {
    let mut server = Server::new(ScriptRules::default());
    let script = "#!lua flags=allow-key-locking\n
        redis.call('SET', KEYS[1], 'x')
        redis.call('EXISTS', KEYS[1], ARGV[1])";
    let refused = "-ERR Dynamic keys are not allowed in Lua scripts when 'allow-key-locking' flag is \
                   set. Key was: other @4";
    assert_eq!(server.ask(&["EVAL", script, "1", "mine", "other"]), refused);
    assert_eq!(server.ask(&["GET", "mine"]), "'x'");
    let both = "#!lua flags=no-writes,allow-key-locking\nreturn redis.call('GET', KEYS[1])";
    assert_eq!(server.ask(&["EVAL_RO", both, "1", "mine"]), "'x'");
    let without_keys = "#!lua flags=allow-key-locking\nreturn redis.call('PING')";
    assert_eq!(server.eval(without_keys), "+PONG");
}

#[test]
fn a_stock_server_refuses_key_locking_even_for_a_script_it_knows() {
    let script = "#!lua flags=allow-key-locking\nreturn 1";
    let mut server = Server::new(ScriptRules::UPSTASH);
    let sha1 = server.ask(&["SCRIPT", "LOAD", script]);
    let sha1 = sha1.trim_matches('\'');
    assert_eq!(server.ask(&["EVALSHA", sha1, "0"]), ":1");
    server.0.script_rules = ScriptRules::REDIS;
    let refused = "-ERR Unexpected flag in script shebang: allow-key-locking";
    assert_eq!(server.ask(&["EVALSHA", sha1, "0"]), refused);
    assert_eq!(server.ask(&["SCRIPT", "LOAD", script]), refused);
}

#[test]
fn a_failed_script_leaves_nothing_on_upstash_and_its_writes_on_redis() {
    let fails = "redis.call('SET', 'a', 'new') redis.call('DEL', 'b') error('boom')";
    for (rules, a, b) in
        [(ScriptRules::UPSTASH, "'old'", "'kept'"), (ScriptRules::REDIS, "'new'", "nil")]
    {
        let mut server = Server::new(rules);
        server.ask(&["SET", "a", "old"]);
        server.ask(&["SET", "b", "kept"]);
        assert_eq!(server.eval(fails), "-ERR user_script:1: boom @1");
        assert_eq!((&*server.ask(&["GET", "a"]), &*server.ask(&["GET", "b"])), (a, b));
        server.eval("redis.call('SET', 'a', 'done')");
        assert_eq!(server.ask(&["GET", "a"]), "'done'", "a script that ends well is kept");
    }
}

#[test]
fn the_subcommands_of_script_answer_as_in_redis() {
    let mut server = Server::new(ScriptRules::REDIS);
    for (words, reply) in [
        (&["SCRIPT", "KILL"][..], "-NOTBUSY No scripts in execution right now."),
        (&["SCRIPT", "KILL", "x"], "-ERR wrong number of arguments for 'script|kill' command"),
        (&["SCRIPT", "DEBUG", "NO"], "+OK"),
        (&["SCRIPT", "DEBUG", "YES"], "-ERR SCRIPT DEBUG is not supported by this server"),
        (&["SCRIPT", "DEBUG", "x"], "-ERR Use SCRIPT DEBUG YES/SYNC/NO"),
        (&["SCRIPT", "x"], "-ERR unknown subcommand 'x'. Try SCRIPT HELP."),
        (&["SCRIPT", "LOAD", "#!"], "-ERR Invalid script shebang"),
        (&["EVAL", "return 1"], "-ERR wrong number of arguments for 'eval' command"),
        (&["EVAL_RO", "x"], "-ERR wrong number of arguments for 'eval_ro' command"),
        (&["EVALSHA_RO", "x", "0"], "-NOSCRIPT No matching script. Please use EVAL."),
        (&["EVALSHA", "x", "y"], "-NOSCRIPT No matching script. Please use EVAL."),
    ] {
        assert_eq!(server.ask(words), reply, "{words:?}");
    }
    assert!(server.ask(&["SCRIPT", "HELP"]).starts_with("[+SCRIPT <subcommand>"));
}
