//! Programs written for the crate `redis` run on the fake Redis, without a socket.

use std::time::Duration;

use leasehold_fake_redis::FakeRedis;
use redis::{AsyncCommands, Commands, RedisResult, Script, ServerErrorKind, Value, aio};

const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0";

/// A lock as many programs have it: it works on any connection.
async fn try_lock(
    connection: &mut impl aio::ConnectionLike,
    name: &str,
    token: &str,
) -> RedisResult<bool> {
    let mut set = redis::cmd("SET");
    let reply: Option<String> =
        set.arg(name).arg(token).arg("NX").arg("PX").arg(1_000).query_async(connection).await?;
    Ok(reply.is_some())
}

async fn unlock(
    connection: &mut (impl aio::ConnectionLike + Send),
    name: &str,
    token: &str,
) -> RedisResult<bool> {
    Script::new(RELEASE).key(name).arg(token).invoke_async(connection).await
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn a_lock_is_exclusive_until_it_expires_or_is_released() {
    let server = FakeRedis::default();
    let (mut one, mut other) = (server.connect(), server.connect());
    run(async {
        assert!(try_lock(&mut one, "job", "a").await.unwrap());
        assert!(!try_lock(&mut other, "job", "b").await.unwrap());
        server.advance(Duration::from_millis(1_001));
        assert!(try_lock(&mut other, "job", "b").await.unwrap());
        assert!(!unlock(&mut one, "job", "a").await.unwrap(), "it is not its own any more");
        assert!(unlock(&mut other, "job", "b").await.unwrap());
        assert!(try_lock(&mut one, "job", "a").await.unwrap());
    });
}

#[test]
fn a_script_is_loaded_when_the_server_does_not_know_it() {
    let server = FakeRedis::default();
    let mut connection = server.connect();
    let double = Script::new("return ARGV[1] * 2");
    assert_eq!(run(double.arg(4).invoke_async::<i64>(&mut connection)), Ok(8));
    assert_eq!(double.arg(5).invoke::<i64>(&mut connection), Ok(10));
}

#[test]
fn a_pipeline_answers_each_command_in_order() {
    let server = FakeRedis::default();
    let mut connection = server.connect();
    let mut pipeline = redis::pipe();
    pipeline.set("a", 1).ignore().incr("a", 2).get("a");
    let both: (i64, i64) = run(pipeline.query_async(&mut connection)).unwrap();
    assert_eq!(both, (3, 3));
    let again: (i64, i64) = pipeline.query(&mut connection).unwrap();
    assert_eq!(again, (3, 3));
}

#[test]
fn typed_commands_and_errors_arrive() {
    let server = FakeRedis::default();
    let mut connection = server.connect();
    run(async {
        let connection = &mut connection;
        let _: () = AsyncCommands::hset(connection, "h", "field", "value").await.unwrap();
        let all: Vec<(String, String)> = AsyncCommands::hgetall(connection, "h").await.unwrap();
        assert_eq!(all, [("field".into(), "value".into())]);
        let error = AsyncCommands::incr::<_, _, i64>(connection, "h", 1).await.unwrap_err();
        assert_eq!(error.code(), Some("WRONGTYPE"));
        let none: Option<String> = AsyncCommands::get(connection, "none").await.unwrap();
        assert_eq!(none, None);
    });
    let error = redis::cmd("EVALSHA").arg("x").arg(0).query::<Value>(&mut connection).unwrap_err();
    assert_eq!(error.kind(), ServerErrorKind::NoScript.into());
    assert!(Commands::exists::<_, bool>(&mut connection, "h").unwrap());
}
