use std::time::Duration;

use leasehold_fake_redis::{FakeRedis, Resp};

#[test]
fn a_lock_is_free_once_its_lease_is_over() {
    let server = FakeRedis::default();
    let acquire = |owner: &str| server.command(&["SET", "job", owner, "NX", "PX", "1000"]);
    assert_eq!(acquire("mine"), Resp::OK);
    assert_eq!(acquire("theirs"), Resp::Nil);
    server.advance(Duration::from_millis(1_001));
    assert_eq!(acquire("theirs"), Resp::OK);
}
