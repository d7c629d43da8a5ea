use std::time::Duration;

use leasehold_fake_redis::FakeRedis;
use redis::Commands;

#[test]
fn a_session_ends_when_nobody_came_for_a_minute() -> redis::RedisResult<()> {
    let server = FakeRedis::default();
    let mut connection = server.connect();
    let _: () = connection.set_ex("session", "somebody", 60)?;
    server.advance(Duration::from_millis(60_001));
    assert_eq!(connection.get::<_, Option<String>>("session")?, None);
    Ok(())
}
