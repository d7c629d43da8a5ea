//! Limits of memory and of replicas. Every reply was given by redis-server 7.0.15.

use leasehold_core::{
    Command, Store, StoreError, Token,
    lock::{LockCommand, LockKeys},
};
use leasehold_fake_redis::{Engine, FakeRedis, Resp, Settings};

use crate::sessions_support::Talk;

const OOM: &str = "!OOM command not allowed when used memory > 'maxmemory'.";

/// Sends a script with spaces in it.
fn eval(talk: &mut Talk, script: &str) -> String {
    talk.ask_words('a', &["EVAL", script, "0"])
}

#[test]
fn beyond_the_limit_what_may_take_memory_is_refused() {
    Talk::new().expect(&[
        ('a', "SET a b", "+OK"),
        ('a', "CONFIG SET maxmemory 1", "+OK"),
        ('a', "SET a c", OOM),
        ('a', "GET a", "b"),
        ('a', "DEL none", ":0"),
        ('a', "MULTI", "+OK"),
        ('a', "GET a", OOM),
        ('a', "EXEC", "!EXECABORT Transaction discarded because of previous errors."),
        ('a', "CONFIG SET maxmemory 0", "+OK"),
        ('a', "SET a c", "+OK"),
    ]);
}

#[test]
fn a_script_that_has_written_may_go_on_beyond_the_limit() {
    let mut talk = Talk::new();
    talk.ask('a', "CONFIG SET maxmemory 1");
    let refused = eval(&mut talk, "return redis.call('set', 'a', 'b')");
    assert!(refused.starts_with(&format!("{OOM} script: ")), "{refused}");
    let script = "return redis.pcall('set', 'a', 'b').err";
    assert_eq!(eval(&mut talk, script), OOM.trim_start_matches('!'));
    let script = "redis.call('del', 'z') return redis.call('set', 'a', 'b')";
    assert_eq!(eval(&mut talk, script), "+OK");
    assert_eq!(eval(&mut talk, "#!lua\nreturn 1"), OOM);
    assert_eq!(eval(&mut talk, "#!lua flags=no-writes\nreturn 1"), ":1");
    let script = "#!lua flags=allow-oom\nreturn redis.call('set', 'a', 'c')";
    assert_eq!(eval(&mut talk, script), "+OK");
}

#[test]
fn a_transaction_is_aborted_if_there_is_no_room_for_it() {
    let mut talk = Talk::new();
    talk.expect(&[
        ('a', "MULTI", "+OK"),
        ('a', "SET a b", "+QUEUED"),
        ('b', "CONFIG SET maxmemory 1", "+OK"),
        (
            'a',
            "EXEC",
            "!EXECABORT Transaction discarded because of: OOM command not allowed when used \
                 memory > 'maxmemory'.",
        ),
    ]);
}

/// A server with room for about ten keys, of which there are three.
fn crowded(policy: &str) -> Talk {
    let mut talk = Talk::new();
    for key in ["old", "new", "frequent"] {
        talk.now_ms += 1_000;
        talk.ask('a', &format!("SET {key} {}", "x".repeat(1_000)));
    }
    talk.ask('a', &format!("CONFIG SET maxmemory-policy {policy}"));
    talk.now_ms += 1_000;
    talk
}

fn fill(talk: &mut Talk) -> Vec<&'static str> {
    let used: u64 = number(talk, "used_memory");
    talk.ask('a', &format!("CONFIG SET maxmemory {}", used - 10));
    talk.ask('a', "PING");
    ["old", "new", "frequent"]
        .into_iter()
        .filter(|key| talk.ask('a', &format!("EXISTS {key}")) == ":0")
        .collect()
}

fn number(talk: &mut Talk, name: &str) -> u64 {
    let info = talk.ask('a', "INFO all");
    let line = info.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    line.unwrap().parse().unwrap()
}

#[test]
fn keys_give_way_by_the_policy() {
    let mut talk = crowded("allkeys-lru");
    assert_eq!(fill(&mut talk), ["old"]);
    assert_eq!(number(&mut talk, "evicted_keys"), 1);

    let mut talk = crowded("allkeys-lru");
    talk.ask('a', "GET old");
    assert_eq!(fill(&mut talk), ["new"]);

    let mut talk = crowded("allkeys-lfu");
    for _ in 0..100 {
        talk.ask('a', "MGET old frequent");
    }
    assert_eq!(fill(&mut talk), ["new"]);

    let mut talk = crowded("volatile-ttl");
    talk.ask('a', "EXPIRE old 100");
    talk.ask('a', "EXPIRE frequent 50");
    assert_eq!(fill(&mut talk), ["frequent"]);

    let mut talk = crowded("volatile-lru");
    assert_eq!(fill(&mut talk), Vec::<&str>::new());
    assert_eq!(talk.ask('a', "SET a b"), OOM);

    let mut talk = crowded("allkeys-random");
    assert_eq!(fill(&mut talk).len(), 1);
}

#[test]
fn an_evicted_key_is_told_of_and_breaks_a_watch() {
    let mut talk = crowded("allkeys-lru");
    talk.ask('a', "CONFIG SET notify-keyspace-events Ee");
    talk.ask('b', "SUBSCRIBE __keyevent@0__:evicted");
    talk.ask('c', "WATCH old");
    let used = number(&mut talk, "used_memory");
    talk.ask('a', &format!("CONFIG SET maxmemory {}", used - 10));
    assert_eq!(talk.ask('a', "PING"), "+PONG | b: >[message __keyevent@0__:evicted old]");
    talk.ask('c', "MULTI");
    assert_eq!(talk.ask('c', "EXEC"), "nil-array");
}

#[test]
fn what_is_kept_of_the_memory_is_what_a_count_finds() {
    let mut talk = Talk::new();
    talk.ask('a', "CONFIG SET maxmemory 100mb");
    for line in [
        "SET a 1", "RPUSH l 1 2 3 4 5 6 7", "LPOP l", "HSET h a b c d", "SADD s 1 2 3",
        "SMOVE s s2 1", "ZADD z 1 a", "XADD x * a b", "RENAME a b", "COPY b c DB 2", "MOVE b 1",
        "SET gone x PX 5", "MSET m 1 m 2 n 3", "DEL h nothing", "SWAPDB 0 1",
    ] {
        talk.ask('a', line);
    }
    talk.after(10);
    talk.ask('a', "PING");
    let counted = number(&mut talk, "used_memory");
    talk.ask('a', &format!("CONFIG SET maxmemory {counted}"));
    assert_eq!(talk.ask('a', "SET one-more x"), "+OK");
    assert_eq!(talk.ask('a', "SET another x"), OOM);
}

#[test]
fn too_few_replicas_refuse_writes() {
    const TOO_FEW: &str = "!NOREPLICAS Not enough good replicas to write.";
    let mut talk = Talk::new();
    talk.ask('a', "SET a b");
    talk.ask('a', "CONFIG SET min-replicas-to-write 1");
    assert_eq!(talk.ask('a', "SET a c"), TOO_FEW);
    assert_eq!(talk.ask('a', "DEL a"), TOO_FEW);
    assert_eq!(talk.ask('a', "GET a"), "b");
    let refused = eval(&mut talk, "return redis.call('set', 'a', 'b')");
    assert!(refused.starts_with(&format!("{TOO_FEW} script: ")), "{refused}");
    assert_eq!(eval(&mut talk, "#!lua\nreturn 1"), TOO_FEW);
    assert_eq!(eval(&mut talk, "#!lua flags=no-writes\nreturn redis.call('get', 'a')"), "b");
    assert_eq!(talk.ask('a', "CONFIG SET min-slaves-to-write 0"), "+OK");
    assert_eq!(talk.ask('a', "SET a c"), "+OK");

    let mut talk = Talk::with(Settings::default().replicas(1, 2_000_000));
    talk.ask('a', "CONFIG SET min-replicas-to-write 1");
    assert_eq!(talk.ask('a', "SET a b"), "+OK");
    talk.ask('a', "CONFIG SET min-replicas-max-lag 1");
    assert_eq!(talk.ask('a', "SET a b"), TOO_FEW);
}

#[tokio::test]
async fn a_lock_hears_that_there_is_no_memory_and_nothing_is_locked() {
    let server = FakeRedis::new(Engine::Native);
    let acquire = || {
        Command::Lock(LockCommand::Acquire {
            keys: LockKeys::of("job").into(),
            token: Token::new("a").unwrap(),
            lease_ms: 1_000,
            fence_life_ms: 60_000,
            tombstone_ms: 60_000,
        })
    };
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = server.execute(acquire()).await;
    assert!(matches!(refused, Err(StoreError::Rejected(_))), "{refused:?}");
    assert_eq!(server.command(&["EXISTS", "job"]), Resp::Integer(0));
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(server.execute(acquire()).await.is_ok());
}
