//! The resource's side of a fence, as a script on the fake Redis.

use leasehold_core::FENCED_SET;
use leasehold_fake_redis::{Redis, Resp};

use crate::sessions_support::bytes;

fn set(redis: &mut Redis, value: &str, fence: &str) -> Resp {
    let words = ["EVAL", FENCED_SET, "2", "balance", "balance:fence", value, fence];
    redis.execute(0, &bytes(&words))
}

#[test]
fn an_older_holder_is_refused_after_a_newer_one_and_changes_nothing() {
    let mut redis = Redis::default();
    assert_eq!(set(&mut redis, "a", "1700000000000005"), Resp::Integer(1));
    assert_eq!(set(&mut redis, "b", "1700000000000009"), Resp::Integer(1));
    assert_eq!(set(&mut redis, "late", "1700000000000005"), Resp::Integer(0));

    assert_eq!(redis.execute(0, &bytes(&["GET", "balance"])), Resp::Bulk("b".into()));
}
