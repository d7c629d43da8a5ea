//! What other people's test suites found. Every reply here was given by redis-server 7.0.15.

use crate::{redis_support::Server, scripting_support, sessions_support::Talk};

fn scripts() -> scripting_support::Server {
    scripting_support::Server::new(leasehold_fake_redis::ScriptRules::REDIS)
}

#[test]
fn an_inexact_trim_goes_by_the_pieces_that_were_set() {
    let mut talk = Talk::new();
    talk.expect(&[
            ('a', "CONFIG SET stream-node-max-entries 10", "+OK"),
            (
                'a',
                "CONFIG SET stream-node-max-entries -1",
                "!ERR CONFIG SET failed (possibly related to argument 'stream-node-max-entries') - argument must be between 0 and 9223372036854775807 inclusive",
            ),
            ('a', "CONFIG GET stream-node-max-entries", "{stream-node-max-entries=10}"),
    ]);
    for number in 1..=60 {
        talk.ask('a', &format!("XADD s 1-{number} a {number}"));
    }
    talk.expect(&[
        ('a', "XTRIM s MAXLEN ~ 25", ":30"),
        ('a', "XTRIM s MAXLEN ~ 25", ":0"),
        ('a', "XTRIM s MINID ~ 1-45", ":10"),
        ('a', "XTRIM s MAXLEN ~ 0 LIMIT 19", ":10"),
        ('a', "XDEL s 1-51", ":1"),
        ('a', "XTRIM s MAXLEN ~ 1", ":0"),
        ('a', "XTRIM s MAXLEN ~ 0", ":9"),
    ]);
    // Pieces are cut by bytes, too.
    talk.ask('a', "CONFIG SET stream-node-max-bytes 100");
    for number in 1..=20 {
        talk.ask('a', &format!("XADD t 1-{number} name value{number}"));
    }
    let described = talk.ask('a', "XINFO STREAM t");
    assert!(described.contains("radix-tree-keys=:5 radix-tree-nodes=:7"), "{described}");
}

#[test]
fn a_stream_is_described_in_full() {
    let mut server = Server::new();
    server.expect(&[
        ("XADD x 1-1 a 1", "1-1"),
        ("XADD x 1-2 b 2", "1-2"),
        ("XGROUP CREATE x g 0 ENTRIESREAD 100", "+OK"),
        ("XREADGROUP GROUP g c COUNT 1 STREAMS x >", "[[x [[1-1 [a 1]]]]]"),
        ("XINFO STREAM x FULL COUNT 1", "[length :2 radix-tree-keys :1 radix-tree-nodes :2 last-generated-id 1-2 max-deleted-entry-id 0-0 entries-added :2 recorded-first-entry-id 1-1 entries [[1-1 [a 1]]] groups [[name g last-delivered-id 1-1 entries-read :101 lag :-99 pel-count :1 pending [[1-1 c :1700000000000 :1]] consumers [[name c seen-time :1700000000000 pel-count :1 pending [[1-1 :1700000000000 :1]]]]]]]"),
        ("XINFO STREAM x FULL COUNT x", "!ERR value is not an integer or out of range"),
        ("XINFO STREAM x FULL COUNT", "!ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP."),
        ("XINFO STREAM x FULL FOO 1", "!ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP."),
        ("XINFO STREAM none FULL", "!ERR no such key"),
    ]);
    for number in 3..=13 {
        server.ask(&format!("XADD x 1-{number} a 1"));
    }
    let entries =
        |reply: String| reply.matches(" [a 1]]").count() + reply.matches(" [b 2]]").count();
    for (line, shown) in [("", 10), (" COUNT -1", 10), (" COUNT 0", 13), (" COUNT 12", 12)] {
        assert_eq!(entries(server.ask(&format!("XINFO STREAM x FULL{line}"))), shown, "{line}");
    }
}

#[test]
fn what_is_set_of_a_stream_is_checked() {
    Server::new().expect(&[
        ("XADD x 1-1 a 1", "1-1"),
        ("XADD x 1-2 a 2", "1-2"),
        ("XGROUP CREATE x g 0", "+OK"),
        ("XSETID x 1-2 ENTRIESADDED 1 MAXDELETEDID 0-0", "!ERR The entries_added specified in XSETID is smaller than the target stream length"),
        ("XSETID x 1-2 ENTRIESADDED 5 MAXDELETEDID 9-9", "!ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"),
        ("XSETID none 9-9 MAXDELETEDID 10-1 FOO", "!ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"),
        ("XSETID none 9-9 MAXDELETEDID 10-1", "!ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"),
        ("XSETID x 0-9 ENTRIESADDED 1 MAXDELETEDID 0-5", "!ERR The ID specified in XSETID is smaller than the target stream top item"),
        ("XSETID x 9-9 ENTRIESADDED 5 MAXDELETEDID 9-8", "+OK"),
        ("XGROUP SETID x g +", "+OK"),
        ("XINFO GROUPS x", "[[name g consumers :0 pending :0 last-delivered-id 18446744073709551615-18446744073709551615 entries-read nil lag nil]]"),
        ("XGROUP SETID x g -", "+OK"),
        ("XGROUP SETID x g x", "!ERR Invalid stream ID specified as stream command argument"),
        ("XGROUP CREATE x g2 -", "!ERR Invalid stream ID specified as stream command argument"),
        ("XGROUP CREATE x g2 +", "!ERR Invalid stream ID specified as stream command argument"),
        ("XAUTOCLAIM x g c 0 0 COUNT 9223372036854775807", "!ERR COUNT must be > 0"),
        ("XAUTOCLAIM x g c 0 0 COUNT 576460752303423488", "!ERR COUNT must be > 0"),
        // Redis asks for the memory first, and does not get it.
        ("XAUTOCLAIM x g c 0 0 COUNT 576460752303423487", "[0-0 [] []]"),
        ("XAUTOCLAIM x g c 0 0 COUNT 100", "[0-0 [] []]"),
    ]);
}

#[test]
fn scripts_go_on_drawing_where_the_last_one_stopped() {
    let mut server = scripts();
    // As of a server that was just started.
    let draw = "return tostring(math.random())";
    let drawn = [server.eval(draw), server.eval(draw)];
    assert_ne!(drawn[0], drawn[1]);
    assert_eq!(scripts().eval(draw), drawn[0]);
    let seeded = server.eval("math.randomseed(5) return tostring(math.random())");
    assert_eq!(server.eval("math.randomseed(5)"), "nil");
    assert_eq!(server.eval(draw), seeded);
}

#[test]
fn what_a_failed_script_drew_is_not_drawn_again() {
    let mut server = scripting_support::Server::new(leasehold_fake_redis::ScriptRules::UPSTASH);
    let first = scripts().eval("return tostring(math.random())");
    server.eval("redis.call('set', 'k', math.random()) error('x')");
    assert_ne!(server.eval("return tostring(math.random())"), first);
}

#[test]
fn monitors_see_what_scripts_run() {
    let mut talk = Talk::new();
    talk.expect(&[
        ('b', "MONITOR", "+OK"),
        ('a', "SELECT 2", "+OK | b: +1700000000.000000 [2 10.0.0.1:1001] \"SELECT\" \"2\""),
    ]);
    let time = "1700000000.000000";
    let told = talk.ask(
        'a',
        "EVAL redis.call('set','k','\"x');redis.pcall('incr','k');redis.pcall('nope');redis.pcall('get');redis.call('SELECT',3);redis.call('get','k') 0",
    );
    let (script, commands) = told.split_once(" | b: ").unwrap().1.split_once(" | b: ").unwrap();
    assert!(script.starts_with("+1700000000.000000 [2 10.0.0.1:1001] \"EVAL\" "), "{script}");
    let expected = [
        format!("+{time} [2 lua] \"set\" \"k\" \"\\\"x\""),
        format!("+{time} [2 lua] \"incr\" \"k\""),
        format!("+{time} [3 lua] \"SELECT\" \"3\""),
        format!("+{time} [3 lua] \"get\" \"k\""),
    ];
    assert_eq!(commands, expected.join(" | b: "));
    // Also a script that is refused, and one in a transaction.
    talk.expect(&[
            (
                'a',
                "EVALSHA abc 0",
                "!NOSCRIPT No matching script. Please use EVAL. | b: +1700000000.000000 [2 10.0.0.1:1001] \"EVALSHA\" \"abc\" \"0\"",
            ),
            ('a', "MULTI", "+OK | b: +1700000000.000000 [2 10.0.0.1:1001] \"MULTI\""),
            ('a', "EVAL redis.call('get','a') 0", "+QUEUED"),
            (
                'a',
                "EXEC",
                "[nil] | b: +1700000000.000000 [2 10.0.0.1:1001] \"EVAL\" \"redis.call('get','a')\" \"0\" | b: +1700000000.000000 [2 lua] \"get\" \"a\" | b: +1700000000.000000 [2 10.0.0.1:1001] \"EXEC\"",
            ),
    ]);
}

#[test]
fn a_set_that_gets_what_it_has_is_not_changed() {
    Talk::new().expect(&[
        ('a', "SADD src m", ":1"),
        ('a', "SADD dst m", ":1"),
        ('a', "WATCH dst", "+OK"),
        ('b', "SMOVE src dst m", ":1"),
        ('a', "MULTI", "+OK"),
        ('a', "EXEC", "[]"),
        ('a', "EXISTS src", ":0"),
    ]);
}

#[test]
fn a_pause_of_writers_lets_scripts_that_only_read_go_on() {
    let mut talk = Talk::new();
    talk.ask('a', "CLIENT PAUSE 100000 WRITE");
    let read = "#!lua\tflags=no-writes\nreturn\t1";
    for (line, answer) in [
        (format!("EVAL {read} 0"), ":1"),
        ("EVAL_RO return(1) 0".into(), ":1"),
        (
            "EVALSHA_RO aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 0".into(),
            "!NOSCRIPT No matching script. Please use EVAL.",
        ),
        ("MULTI".into(), "+OK"),
        (format!("EVAL {read} 0"), "+QUEUED"),
        ("EXEC".into(), "[:1]"),
    ] {
        assert_eq!(talk.ask('b', &line), answer, "{line}");
    }
    for line in [
        "EVAL return(1) 0",
        "EVAL #!lua\nreturn(1) 0",
        "EVAL_RO #!lua\nreturn(1) 0",
        "EVALSHA a 0",
        "PUBLISH a b",
    ] {
        let mut talk = Talk::new();
        talk.ask('a', "CLIENT PAUSE 100000 WRITE");
        assert_eq!(talk.ask('b', line), "waits", "{line}");
    }
}

#[test]
fn whoever_wants_replies_again_is_told_so_and_subscriptions_are_always_confirmed() {
    Talk::new().expect(&[
        ('a', "CLIENT REPLY SKIP", ""),
        ('a', "CLIENT REPLY ON", "+OK"),
        ('a', "CLIENT REPLY SKIP", ""),
        ('a', "CLIENT REPLY SKIP", ""),
        ('a', "PING", ""),
        ('a', "ECHO a", "a"),
        ('a', "CLIENT REPLY SKIP", ""),
        ('a', "CLIENT REPLY OFF", ""),
        ('a', "SUBSCRIBE a b", ">[subscribe a :1] >[subscribe b :2]"),
        ('a', "PING", ""),
        ('a', "UNSUBSCRIBE", ">[unsubscribe a :1] >[unsubscribe b :0]"),
        ('a', "CLIENT REPLY ON", "+OK"),
        ('a', "CLIENT REPLY SKIP", ""),
        ('a', "UNSUBSCRIBE", ">[unsubscribe nil :0]"),
        ('a', "PING", "+PONG"),
    ]);
}

#[test]
fn scripts_hand_over_as_many_values_as_lua_lets_them() {
    scripting_support::check(&mut scripts(), MANY_VALUES);
}

const MANY_VALUES: &str = "
local t = {} for i = 1, 4000 do t[i] = 'v' .. i end return #cmsgpack.pack(unpack(t)) --> :22893
local t = {} for i = 1, 4001 do t[i] = 'v' .. i end return #cmsgpack.pack(unpack(t))
    --> -ERR user_script:1: bad argument #0 to 'pack' (Too many arguments for MessagePack pack.) @1
local t = {} for i = 1, 9000 do t['v' .. i] = 'w' .. i end return #cmsgpack.pack(t) --> :105789
local t = {} for i = 1, 9000 do t['v' .. i] = 'w' .. i end
local n = 0 for _ in pairs(cmsgpack.unpack(cmsgpack.pack(t))) do n = n + 1 end return n --> :9000
local t = {} for i = 1, 9000 do t['v' .. i] = 'w' .. i end
local n = 0 for _ in pairs(cjson.decode(cjson.encode(t))) do n = n + 1 end return n --> :9000
";
