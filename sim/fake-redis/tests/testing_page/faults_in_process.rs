use leasehold_fake_redis::{FakeRedis, faults::RuleError};
use redis::Commands;

#[test]
fn a_reply_that_is_lost_leaves_a_lock_that_nobody_knows_of() -> Result<(), RuleError> {
    let server = FakeRedis::default();
    server.fault("reply-loss command=SETNX next=1")?;
    let mut connection = server.connect();
    let lost = connection.set_nx::<_, _, bool>("job", "mine");
    assert!(lost.is_err_and(|error| error.is_connection_dropped()));
    assert_eq!(connection.exists("job"), Ok(true));
    assert_eq!(server.faults()[0].effective, 1);
    Ok(())
}
