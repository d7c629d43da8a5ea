//! What one store writes, the other reads.

use std::sync::Arc;

use leasehold_core::{
    Command, Reply, Store, Token,
    debounce::{DebounceCommand, DebounceKeys, DebounceReply, Retention, Timing},
};
use leasehold_upstash::{RetryPolicy, Tcp, Upstash};

use crate::fake::{Adapter, Fake};

#[tokio::test]
async fn arguments_of_any_bytes_go_in_by_one_store_and_come_out_of_the_other() {
    let fake = Fake::start().await;
    let (rest, tcp) =
        (Upstash::of(&fake, RetryPolicy::none()), Tcp::of(&fake, RetryPolicy::none()));
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
