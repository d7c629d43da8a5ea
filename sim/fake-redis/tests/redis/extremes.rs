//! No number that a client names makes the server panic, or take memory or time without a bound.

use bytes::Bytes;
use leasehold_fake_redis::{Executed, Resp, Server, SessionId};

const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1",
    "3",
    "-3",
    "1000000",
    "-1000000",
    "2147483647",
    "-2147483648",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "99999999999999999999",
    "1e300",
    "-1e300",
    "1e18",
    "0.1",
    "inf",
    "-inf",
    "nan",
    "9223372036854775807-18446744073709551615",
    "*",
    "-",
    "+",
    "(1",
    "[a",
    "$",
    ">",
];

/// Words that stand before a number or behind one.
const WORDS: &[&str] = &[
    "COUNT",
    "LIMIT",
    "MAXLEN",
    "MINID",
    "BLOCK",
    "STREAMS",
    "GROUP",
    "g",
    "c",
    "WITHSCORES",
    "WITHVALUES",
    "EX",
    "PX",
    "EXAT",
    "PXAT",
    "RANK",
    "BY",
    "GET",
    "STORE",
    "LEFT",
    "RIGHT",
    "MIN",
    "MAX",
    "IDLE",
    "TIME",
    "RETRYCOUNT",
    "MINMATCHLEN",
    "IDX",
    "BYSCORE",
    "BYLEX",
    "REV",
    "WEIGHTS",
    "AGGREGATE",
    "ENTRIESREAD",
    "ENTRIESADDED",
    "MAXDELETEDID",
    "~",
    "=",
    "BIT",
    "INCR",
    "ALPHA",
    "TIMEOUT",
    "ALL",
    "WRITE",
    "lua-time-limit",
    "set-max-intset-entries",
    "return 1",
];

const KEYS: &[&str] = &["text", "hash", "list", "set", "zset", "stream", "absent"];

/// What ends the server, or its connection.
const LEFT_OUT: &[&str] = &[
    "shutdown",
    "quit",
    "monitor",
    "subscribe",
    "psubscribe",
    "ssubscribe",
    "multi",
    "reset",
    "auth",
    "hello",
    "failover",
    "debug",
];

struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

fn ask(server: &mut Server, client: SessionId, words: &[&str]) -> Resp {
    let words: Vec<Bytes> = words.iter().map(|it| Bytes::copy_from_slice(it.as_bytes())).collect();
    match server.execute(1_700_000_000_000_000, client, &words) {
        Executed::Replies(mut replies) => replies.pop().unwrap_or(Resp::Nil),
        Executed::Blocked => Resp::Nil,
    }
}

fn fill(server: &mut Server, client: SessionId) {
    for line in [
        "FLUSHALL",
        "SET text 5",
        "HSET hash a 1 b 2 c 3",
        "RPUSH list 1 2 3",
        "SADD set 1 2 c",
        "ZADD zset 1 a 2 b 3 c",
        "XADD stream 1-1 a b",
        "XADD stream 2-1 a b",
        "XGROUP CREATE stream g 0",
        "XREADGROUP GROUP g c COUNT 1 STREAMS stream >",
    ] {
        ask(server, client, &line.split(' ').collect::<Vec<_>>());
    }
}

/// The names of all commands, with those of their subcommands.
fn table(server: &mut Server, client: SessionId) -> Vec<Vec<String>> {
    let Resp::Array(rows) = ask(server, client, &["COMMAND"]) else { panic!("no table") };
    let mut names = Vec::new();
    let mut add = |row: &Resp| {
        let Resp::Array(parts) = row else { return };
        let Resp::Bulk(name) = &parts[0] else { return };
        let name = String::from_utf8(name.to_vec()).unwrap();
        names.push(name.split('|').map(str::to_owned).collect::<Vec<_>>());
    };
    for row in &rows {
        add(row);
        if let Resp::Array(parts) = row
            && let Some(Resp::Array(subcommands)) = parts.get(9)
        {
            subcommands.iter().for_each(&mut add);
        }
    }
    names.retain(|name| !LEFT_OUT.contains(&&*name[0]));
    names
}

fn size(resp: &Resp) -> usize {
    let all = |replies: &[Resp]| replies.iter().map(size).sum::<usize>();
    1 + match resp {
        Resp::Array(replies) | Resp::Push(replies) | Resp::Set(replies) => all(replies),
        Resp::Entries(pairs) | Resp::Map(pairs) | Resp::Pairs(pairs) => {
            pairs.iter().map(|(left, right)| size(left) + size(right)).sum()
        }
        _ => 0,
    }
}

#[test]
fn every_command_of_the_table_bears_every_number() {
    let mut server = Server::default();
    server.redis_mut().script_rules.instructions = 100_000;
    let client = server.connect();
    let mut draw = Draw(7);
    let table = table(&mut server, client);
    assert!(table.len() > 200, "{}", table.len());
    for round in 0..60 {
        for name in &table {
            let client = server.connect();
            fill(&mut server, client);
            let mut words: Vec<&str> = name.iter().map(String::as_str).collect();
            let length = 1 + draw.below(6);
            words.push(draw.one(KEYS));
            for _ in 0..length {
                let of = [NUMBERS, NUMBERS, WORDS, KEYS][draw.below(4)];
                words.push(draw.one(of));
            }
            // A large string is allowed; sixty of them a round would only take long.
            let grows = matches!(&*name[0], "setrange" | "setbit") && round > 2;
            if !grows {
                let reply = ask(&mut server, client, &words);
                assert!(size(&reply) <= 2 << 20, "{words:?}");
            }
            let other = server.connect();
            ask(&mut server, other, &["CLIENT", "UNPAUSE"]);
            let text = ask(&mut server, other, &["PING"]);
            assert_eq!(text, Resp::Simple("PONG".into()), "{words:?}");
            server.disconnect(other);
            server.disconnect(client);
        }
    }
}

#[test]
fn no_more_is_drawn_than_fits_a_reply() {
    let mut server = Server::default();
    let client = server.connect();
    fill(&mut server, client);
    for (command, key) in [("SRANDMEMBER", "set"), ("HRANDFIELD", "hash"), ("ZRANDMEMBER", "zset")]
    {
        for number in ["-9223372036854775807", "-1048577"] {
            let reply = ask(&mut server, client, &[command, key, number]);
            assert!(matches!(reply, Resp::Error(_)), "{command} {number}");
        }
        let Resp::Array(drawn) = ask(&mut server, client, &[command, key, "-2000"]) else {
            panic!()
        };
        assert_eq!(drawn.len(), 2_000);
        let large = "x".repeat(1 << 20);
        ask(&mut server, client, &["SADD", "large set", &large]);
        ask(&mut server, client, &["HSET", "large hash", "a", &large]);
        ask(&mut server, client, &["ZADD", "large zset", "1", &large]);
        let key = format!("large {key}");
        let more = if command == "HRANDFIELD" { "WITHVALUES" } else { "" };
        let words = [command, &key, "-1000", more];
        let words = if more.is_empty() { &words[..3] } else { &words[..] };
        assert!(matches!(ask(&mut server, client, words), Resp::Error(_)), "{command}");
    }
}

#[test]
fn a_pause_for_ever_can_be_ended() {
    let mut server = Server::default();
    let client = server.connect();
    for mode in ["ALL", "WRITE"] {
        ask(&mut server, client, &["CLIENT", "PAUSE", "9000000000000000", mode]);
        assert_eq!(ask(&mut server, client, &["CLIENT", "UNPAUSE"]), Resp::OK);
        assert_eq!(ask(&mut server, client, &["SET", "key", "value"]), Resp::OK);
    }
}
