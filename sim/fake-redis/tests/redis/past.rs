//! The past of a server: what it was before each of many commands, and within which memory.

use std::collections::BTreeMap;

use bytes::Bytes;
use leasehold_fake_redis::{Executed, Keyspace, Reached, ScriptRules, Server, SessionId};

use crate::extremes::Draw;

/// Commands that change each type of data in each way; `K` is one of a few keys, `M` one of a few
/// names, `N` a small number, and `I` the identifier of an entry.
const COMMANDS: &[&str] = &[
    "SET K M",
    "SET K M PX N",
    "SETNX K M",
    "APPEND K M",
    "SETRANGE K N M",
    "SETBIT K N 1",
    "INCR K",
    "INCRBYFLOAT K 0.5",
    "GETDEL K",
    "GETEX K PX N",
    "GETEX K PERSIST",
    "MSET K M K N",
    "PEXPIRE K N",
    "PERSIST K",
    "DEL K",
    "RENAME K K",
    "COPY K K REPLACE",
    "MOVE K N",
    "SWAPDB 0 N",
    "SELECT N",
    "SELECT 0",
    "FLUSHDB",
    "FLUSHALL",
    "RPUSH K M N M",
    "LPUSH K M N",
    "RPOP K",
    "LPOP K N",
    "LSET K N M",
    "LINSERT K BEFORE M N",
    "LREM K 0 M",
    "LREM K -2 N",
    "LTRIM K 1 -2",
    "LMOVE K K LEFT RIGHT",
    "LMOVE K K RIGHT LEFT",
    "SORT K ALPHA STORE K",
    "HSET K M N N M",
    "HSETNX K M N",
    "HDEL K M N",
    "HINCRBY K M N",
    "HINCRBYFLOAT K N 1.5",
    "SADD K M N N",
    "SREM K M N",
    "SPOP K",
    "SPOP K 2",
    "SMOVE K K M",
    "SUNIONSTORE K K K",
    "ZADD K N M N N",
    "ZADD K GT N M",
    "ZINCRBY K N M",
    "ZREM K M",
    "ZPOPMIN K",
    "ZPOPMAX K 2",
    "ZREMRANGEBYSCORE K 1 N",
    "ZUNIONSTORE K 2 K K",
    "ZRANGESTORE K K 0 -1",
    "XADD K * M N",
    "XADD K MAXLEN 3 * M N",
    "XADD K I M N",
    "XDEL K I",
    "XTRIM K MAXLEN 2",
    "XSETID K 99-0",
    "XGROUP CREATE K M $ MKSTREAM",
    "XGROUP CREATE K M 0",
    "XGROUP DESTROY K M",
    "XGROUP SETID K M 0",
    "XGROUP CREATECONSUMER K M N",
    "XGROUP DELCONSUMER K M N",
    "XREADGROUP GROUP M N COUNT 2 STREAMS K >",
    "XREADGROUP GROUP M N STREAMS K 0",
    "XACK K M I",
    "XCLAIM K M N 0 I",
    "XCLAIM K M N 0 I FORCE",
    "XAUTOCLAIM K M N 0 0",
];

/// A script that writes and then fails.
const FAILS: &str = "redis.call('RPUSH', KEYS[1], 'x') redis.call('SET', 'other', 1) error('no')";

type Databases = BTreeMap<usize, Keyspace>;

impl Draw {
    fn command(&mut self) -> Vec<Bytes> {
        if self.below(20) == 0 {
            return [b"EVAL", FAILS.as_bytes(), b"1", b"a"].map(Bytes::copy_from_slice).into();
        }
        let line = COMMANDS[self.below(COMMANDS.len())];
        let mut word = |word: &str| match word {
            "K" => ["a", "b", "c", "d", "e"][self.below(5)].to_owned(),
            "M" => ["m", "17", "a name that is longer than those which are kept as they are, yes"]
                [self.below(3)]
            .to_owned(),
            "N" => self.below(9).to_string(),
            "I" => format!("{}-0", self.below(60)),
            word => word.to_owned(),
        };
        line.split(' ').map(|it| word(it).into()).collect()
    }
}

fn now(server: &Server) -> Databases {
    server.redis().databases().map(|(number, keys)| (number, keys.clone())).collect()
}

fn was(server: &Server, at_us: u64) -> (Databases, usize) {
    let reached = Reached { at_us: Some(at_us), write: 0 };
    let (mut databases, missing) = server.redis().was(reached).unwrap();
    databases.retain(|_, keys| !keys.is_empty());
    (databases, missing)
}

fn run(server: &mut Server, client: SessionId, at_us: u64, words: &[Bytes]) {
    let executed = server.execute(at_us * 1_000, client, words);
    assert!(matches!(executed, Executed::Replies(_)), "{words:?}");
    server.redis_mut().end_write(at_us, at_us, 0);
}

#[test]
fn every_change_of_every_type_can_be_taken_back() {
    for seed in 1..=40 {
        let mut draw = Draw(seed);
        let mut server = Server::default();
        server.redis_mut().keep_past(Some(usize::MAX));
        if seed % 2 == 0 {
            server.redis_mut().script_rules = ScriptRules::UPSTASH;
        }
        let client = server.connect();
        let mut states = vec![now(&server)];
        for at_us in 1..=150 {
            let words = draw.command();
            run(&mut server, client, at_us, &words);
            states.push(now(&server));
            // Each change by itself, so that a failure names the command.
            let before = was(&server, at_us - 1).0;
            assert!(before == states[states.len() - 2], "{seed}: {words:?}");
        }
        for (at_us, state) in states.iter().enumerate() {
            assert!(was(&server, at_us as u64).0 == *state, "{seed}: {at_us}");
        }
    }
}

#[test]
fn large_collections_are_taken_back_in_their_order() {
    let mut server = Server::default();
    let client = server.connect();
    let fill = "for i = 1, 600 do redis.call('HSET', 'h', i, i) redis.call('SADD', 's', i) end";
    let eval = |script: &str| ["EVAL", script, "0"].map(|it| Bytes::copy_from_slice(it.as_bytes()));
    run(&mut server, client, 1, &eval(fill));
    server.redis_mut().keep_past(Some(usize::MAX));
    let before = now(&server);
    let empty = "for i = 3, 600, 7 do redis.call('HDEL', 'h', i) redis.call('SREM', 's', i) end";
    run(&mut server, client, 2, &eval(empty));
    assert!(was(&server, 1).0 == before);
}

#[test]
fn the_past_is_bounded_also_within_one_script() {
    const MOST: usize = 64 << 10;
    let lines = [
        "'RPUSH', 'l', i", "'HSET', 'h', i, i", "'ZADD', 'z', i, i", "'SADD', 's', i",
        "'XADD', 'x', '*', i, i", "'APPEND', 't', i", "'SET', i, i",
    ];
    for line in lines {
        let mut server = Server::default();
        server.redis_mut().keep_past(Some(MOST));
        let client = server.connect();
        run(&mut server, client, 1, &["SET", "first", "1"].map(Bytes::from));
        let script = format!("for i = 1, 16000 do redis.call({line}) end");
        let words = [Bytes::from("EVAL"), script.into(), "0".into()];
        run(&mut server, client, 2, &words);
        let after = now(&server);
        assert!(server.redis().past_bytes() <= MOST, "{line}");
        // Nothing before the script is known, so nothing is missing.
        assert!(was(&server, 1) == (after.clone(), 0), "{line}");
        run(&mut server, client, 3, &["SET", "last", "1"].map(Bytes::from));
        assert!(was(&server, 2) == (after, 1), "{line}");
    }
}

#[test]
fn what_is_left_of_the_past_is_whole() {
    for (seed, most) in (1..=12).flat_map(|seed| [(seed, 2 << 10), (seed, 16 << 10)]) {
        let mut draw = Draw(seed);
        let mut server = Server::default();
        server.redis_mut().keep_past(Some(most));
        let client = server.connect();
        // After each write.
        let mut states = vec![now(&server)];
        let mut reached = 0;
        for at_us in 1..=300 {
            let executed = server.execute(at_us * 1_000, client, &draw.command());
            assert!(matches!(executed, Executed::Replies(_)));
            if server.redis().is_written() {
                states.push(now(&server));
            }
            server.redis_mut().end_write(at_us, at_us, at_us.saturating_sub(100));
            assert!(server.redis().past_bytes() <= most);
            let (before, missing) = was(&server, 0);
            assert!(before == states[states.len() - 1 - missing], "{seed} {most}: {at_us}");
            reached = missing.max(reached);
        }
        assert!(reached > 5 && reached <= 100, "{seed} {most}: {reached}");
    }
}

#[test]
fn what_does_not_fit_is_forgotten_from_the_oldest_on() {
    let mut server = Server::default();
    server.redis_mut().keep_past(Some(100 << 10));
    let client = server.connect();
    for at_us in 1..=8 {
        let text = Bytes::from(vec![b'a' + at_us as u8; 30 << 10]);
        run(&mut server, client, at_us, &["SET".into(), "key".into(), text]);
    }
    assert_eq!(was(&server, 0).1, 3);
    server.redis_mut().end_write(9, 9, 8);
    assert_eq!(was(&server, 0).1, 1);
}
