//! What one store writes, the other reads.

use std::sync::Arc;

use leasehold_core::{
    Command, Reply, Store, Token,
    debounce::{DebounceCommand, DebounceKeys, DebounceReply, Retention, Timing},
    lock::{Guarantee, Lock, LockOptions, NotAcquired, Released},
};
use leasehold_fake_redis::Resp;
use leasehold_upstash::{RetryPolicy, Tcp, Upstash};

use crate::fake::{Adapter, Fake};

#[tokio::test]
async fn arguments_of_any_bytes_go_in_by_one_store_and_come_out_of_the_other() {
    let fake = Fake::start().await;
    let (rest, tcp) = (
        Upstash::of(&fake, RetryPolicy::new().retries(0)),
        Tcp::of(&fake, RetryPolicy::new().retries(0)),
    );
    let bytes: Vec<u8> = (0..=255).chain("jö€".bytes()).collect();
    assert_eq!(carried(&rest, &tcp, &bytes, "a").await, bytes);
    assert_eq!(carried(&tcp, &rest, &bytes, "b").await, bytes);
}

/// Calls by way of `writer`, and returns with which arguments `reader` is to run.
async fn carried(
    writer: &(impl Store + Sync),
    reader: &(impl Store + Sync),
    args: &[u8],
    id: &str,
) -> Vec<u8> {
    let keys = Arc::new(DebounceKeys::of(id));
    let retention = Retention { armed_ms: 60_000, settled_ms: 60_000, memo_ms: 60_000 };
    let call = DebounceCommand::Call {
        keys: keys.clone(),
        call: Token::new("c#1").unwrap(),
        args: args.into(),
        seq: 0,
        timing: Timing { wait_ms: 1, max_wait_ms: None, leading: true, trailing: true },
        retention,
    };
    writer.execute(Command::Debounce(call)).await.unwrap();
    let runner = Token::new("r#1").unwrap();
    let claim = DebounceCommand::Claim { keys, runner, seq: 0, run_lease_ms: 60_000, retention };
    match reader.execute(Command::Debounce(claim)).await {
        Ok(Reply::Debounce(DebounceReply::Claimed { args, .. })) => args.to_vec(),
        other => panic!("{other:?}"),
    }
}

/// How often the server was told so by a client, and not by a script.
fn told(fake: &Fake, command: &str) -> u64 {
    let Resp::Verbatim(info) = fake.run(&["INFO", "commandstats"]) else { panic!() };
    let text = String::from_utf8_lossy(&info);
    let calls = text.split_once(&format!("cmdstat_{command}:calls="));
    calls.map_or(0, |(_, rest)| rest.split(',').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_lean_lock_goes_from_store_to_store_and_costs_no_more_than_it_says() {
    let fake = Fake::start().await;
    let (rest, tcp) = (
        Upstash::of(&fake, RetryPolicy::new().retries(0)),
        Tcp::of(&fake, RetryPolicy::new().retries(0)),
    );
    let options = LockOptions::new().guarantee(Guarantee::Lean).attempts(1);
    let over_tcp = Lock::with_options(tcp, "job", &options).unwrap();
    let over_rest = Lock::with_options(rest, "job", &options).unwrap();

    let mut lease = over_tcp.acquire().await.unwrap();
    assert_eq!((told(&fake, "set"), told(&fake, "time")), (1, 1));
    assert_eq!(told(&fake, "evalsha") + told(&fake, "eval"), 0, "no script takes it");
    match over_rest.acquire().await {
        Err(NotAcquired::Busy { remaining: Some(left) }) => assert!(!left.is_zero()),
        other => panic!("{other:?}"),
    }
    let before = fake.run(&["DBSIZE"]);
    assert_eq!(before, Resp::Integer(1), "no fence, no tombstone, no note");
    assert_eq!(lease.release().await, Ok(Released::Released));
    assert_eq!(told(&fake, "publish"), 0, "nobody waits");
    let mut lease = over_rest.acquire().await.unwrap();
    assert!(matches!(over_tcp.acquire().await, Err(NotAcquired::Busy { .. })));
    assert_eq!(lease.release().await, Ok(Released::Released));
    assert_eq!(fake.run(&["DBSIZE"]), Resp::Integer(0));
}
