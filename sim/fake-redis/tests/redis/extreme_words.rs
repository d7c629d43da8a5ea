//! Commands with extreme numbers, and what they are given to. The fuzz target `commands` has this
//! file, too.

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
    "COUNT", "LIMIT", "MAXLEN", "MINID", "BLOCK", "STREAMS", "GROUP", "g", "c", "WITHSCORES",
    "WITHVALUES", "EX", "PX", "EXAT", "PXAT", "RANK", "BY", "GET", "STORE", "LEFT", "RIGHT", "MIN",
    "MAX", "IDLE", "TIME", "RETRYCOUNT", "MINMATCHLEN", "IDX", "BYSCORE", "BYLEX", "REV",
    "WEIGHTS", "AGGREGATE", "ENTRIESREAD", "ENTRIESADDED", "MAXDELETEDID", "~", "=", "BIT", "INCR",
    "ALPHA", "TIMEOUT", "ALL", "WRITE", "lua-time-limit", "set-max-intset-entries", "return 1",
];

const KEYS: &[&str] = &["text", "hash", "list", "set", "zset", "stream", "absent"];

/// What ends the server, or its connection.
const LEFT_OUT: &[&str] = &[
    "shutdown", "quit", "monitor", "subscribe", "psubscribe", "ssubscribe", "multi", "reset",
    "auth", "hello", "failover", "debug",
];

/// A command of this name, with words that are drawn: `draw` gives a number below the one it is
/// given.
pub(crate) fn command(name: &[String], mut draw: impl FnMut(usize) -> usize) -> Vec<&str> {
    let mut words: Vec<&str> = name.iter().map(String::as_str).collect();
    let length = 1 + draw(6);
    words.push(KEYS[draw(KEYS.len())]);
    for _ in 0..length {
        let of = [NUMBERS, NUMBERS, WORDS, KEYS][draw(4)];
        words.push(of[draw(of.len())]);
    }
    words
}

pub(crate) fn ask(server: &mut Server, client: SessionId, words: &[&str]) -> Resp {
    let words: Vec<Bytes> = words.iter().map(|it| Bytes::copy_from_slice(it.as_bytes())).collect();
    match server.execute(1_700_000_000_000_000, client, &words) {
        Executed::Replies(mut replies) => replies.pop().unwrap_or(Resp::Nil),
        Executed::Blocked => Resp::Nil,
    }
}

pub(crate) fn fill(server: &mut Server, client: SessionId) {
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

/// The names of all commands that leave the server and the connection as they are, with those of their subcommands.
pub(crate) fn table(server: &mut Server, client: SessionId) -> Vec<Vec<String>> {
    let Resp::Array(rows) = ask(server, client, &["COMMAND"]) else { panic!("no table") };
    let mut names = Vec::new();
    let mut add = |row: &Resp| {
        let Resp::Array(parts) = row else { return };
        let Resp::Bulk(name) = &parts[0] else { return };
        let name = String::from_utf8_lossy(name);
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

pub(crate) fn size(resp: &Resp) -> usize {
    let all = |replies: &[Resp]| replies.iter().map(size).sum::<usize>();
    1 + match resp {
        Resp::Array(replies) | Resp::Push(replies) | Resp::Set(replies) => all(replies),
        Resp::Entries(pairs) | Resp::Map(pairs) | Resp::Pairs(pairs) => {
            pairs.iter().map(|(left, right)| size(left) + size(right)).sum()
        }
        _ => 0,
    }
}
