//! The server is a value: equal histories give equal servers, and what it says of its changes is
//! enough to copy it.

use std::hash::{BuildHasher, BuildHasherDefault};

use crate::redis_support::Server;
use bytes::Bytes;
use leasehold_core::{
    Command, Reply, StoreError, Token,
    lock::{LockCommand, LockKeys, LockReply},
};
use leasehold_fake_redis::{Engine, Entry, Keyspace, Redis};
use proptest::prelude::*;
use rustc_hash::FxHasher;

fn hash_of(keys: &Keyspace) -> u64 {
    BuildHasherDefault::<FxHasher>::default().hash_one(keys)
}

fn string(text: &str, expires_at_ms: Option<u64>) -> Option<Entry> {
    Some(Entry { expires_at_ms, ..Entry::string(Bytes::copy_from_slice(text.as_bytes())) })
}

fn name(number: u64) -> Bytes {
    format!("key{number}").into()
}

#[test]
fn the_order_of_writes_does_not_show() {
    let (mut up, mut down) = (Keyspace::default(), Keyspace::default());
    for number in 0..500 {
        up.set_entry(name(number), string("x", Some(number)));
        down.set_entry(name(499 - number), string("x", Some(499 - number)));
        down.set_entry("gone".into(), string("x", Some(7)));
    }
    assert_ne!(up, down);
    assert_eq!(up.purge(0, 1), 0);
    down.set_entry("gone".into(), None);
    assert_eq!(up, down);
    assert_eq!(hash_of(&up), hash_of(&down));
    assert_eq!(format!("{up:?}"), format!("{down:?}"));
    up.set_entry(name(3), string("y", Some(3)));
    assert_ne!(up, down);
    assert_ne!(hash_of(&up), hash_of(&down));
}

#[test]
fn a_purge_removes_what_is_past_and_only_that() {
    let mut keys = Keyspace::default();
    for number in 0..100 {
        keys.set_entry(name(number), string("x", Some(number)));
    }
    keys.set_entry("stays".into(), string("x", None));
    assert_eq!(keys.purge(50, 10), 10);
    assert_eq!(keys.purge(50, usize::MAX), 40);
    assert_eq!(keys.len(), 51);
    assert!(keys.peek(50, b"key50").is_some());
    keys.modify(50, b"key60", |entry| entry.expires_at_ms = Some(1_000));
    keys.modify(50, b"key61", |entry| entry.expires_at_ms = None);
    keys.modify(50, b"key99", |entry| entry.expires_at_ms = Some(51));
    assert_eq!(keys.purge(52, usize::MAX), 3, "50, 51 and the shortened one");
    assert_eq!(keys.purge(999, usize::MAX), 45);
    assert_eq!(keys.len(), 3);
    assert_eq!(keys.purge(1_001, usize::MAX), 1);
}

#[test]
fn expired_keys_do_not_pile_up() {
    let mut server = Server::new();
    for number in 0..100_000 {
        server.now_ms += 1;
        server.ask_words(&["SET", &format!("key{number}"), "x", "PX", "50"]);
        server.ask_words(&["SET", "long", "x", "PX", "100000000"]);
        server.ask("DEL long");
        assert!(server.redis.keyspace.len() <= 51);
    }
}

#[test]
fn an_empty_hash_never_shows_in_the_changes() {
    let mut server = Server::new();
    server.ask("HSET h f v");
    server.redis.keyspace.watch_changes(true);
    server.ask("HDEL h f");
    assert_eq!(server.redis.keyspace.take_changes(), [("h".into(), None)]);
    assert_eq!(server.redis.keyspace.take_changes(), []);
    server.redis.keyspace.watch_changes(false);
    server.ask("SET a b");
    assert_eq!(server.redis.keyspace.take_changes(), []);
}

#[test]
fn a_lock_over_something_else_is_refused_by_both_engines() {
    for engine in [Engine::Lua, Engine::Native] {
        let mut redis = Redis::default();
        redis.execute(0, &["HSET", "job", "f", "v"].map(Bytes::from_static_str));
        let keys = LockKeys::of("job").into();
        let inspect = Command::Lock(LockCommand::Inspect { keys, token: None });
        let refused = redis.apply(0, &inspect, engine);
        assert!(matches!(refused, Err(StoreError::Rejected(_))), "{refused:?}");
    }
}

#[test]
fn a_script_that_the_server_forgot_is_sent_again() {
    let mut redis = Redis::default();
    let keys = std::sync::Arc::new(LockKeys::of("job"));
    let token = Token::new("t").unwrap();
    let acquire =
        LockCommand::Acquire { keys, token, lease_ms: 10, fence_life_ms: 10, tombstone_ms: 10 };
    for fresh in [true, false] {
        let reply = redis.apply(5_000, &Command::Lock(acquire.clone()), Engine::Lua);
        let Ok(Reply::Lock(LockReply::Acquired { fence, fresh: taken })) = reply else {
            panic!("{reply:?}");
        };
        assert_eq!((fence.0, taken), (5_000, fresh));
        redis.execute(5_000, &["SCRIPT", "FLUSH"].map(Bytes::from_static_str));
    }
}

trait FromStaticStr {
    fn from_static_str(text: &'static str) -> Bytes;
}

impl FromStaticStr for Bytes {
    fn from_static_str(text: &'static str) -> Bytes {
        Self::from_static(text.as_bytes())
    }
}

fn lines() -> impl Strategy<Value = Vec<(u64, String)>> {
    let templates = vec![
        "SET {} 1", "SET {} 2 PX 3", "SET {} 3 KEEPTTL", "DEL {}", "INCR {}", "PEXPIRE {} 2",
        "PERSIST {}", "HSET {} f v", "HSET {} g w", "HDEL {} f", "HDEL {} g", "FLUSHALL", "GET {}",
    ];
    let line = (prop::sample::select(templates), prop::sample::select(vec!["a", "b", "c"]));
    let line = line.prop_map(|(template, key)| template.replace("{}", key));
    prop::collection::vec((0_u64..3, line), 0..60)
}

proptest! {
    #[test]
    fn equal_sequences_give_equal_servers_and_the_changes_rebuild_them(lines in lines()) {
        let (mut first, mut second, mut replica) = (Server::new(), Server::new(), Keyspace::default());
        first.redis.keyspace.watch_changes(true);
        for (passed_ms, line) in &lines {
            first.now_ms += passed_ms;
            second.now_ms += passed_ms;
            prop_assert_eq!(first.ask(line), second.ask(line));
            for (key, entry) in first.redis.keyspace.take_changes() {
                replica.set_entry(key, entry);
            }
        }
        prop_assert_eq!(&first.redis.keyspace, &second.redis.keyspace);
        prop_assert_eq!(hash_of(&first.redis.keyspace), hash_of(&second.redis.keyspace));
        prop_assert_eq!(&first.redis.keyspace, &replica);
        prop_assert_eq!(hash_of(&first.redis.keyspace), hash_of(&replica));
    }
}
