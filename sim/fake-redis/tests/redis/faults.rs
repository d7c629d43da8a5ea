//! Rules on a fake in process: each kind does over a connection of the crate `redis` what it does to a
//! client of a socket, and the store is told that it cannot know.

use std::{future::poll_fn, pin::pin, task::Poll, thread, time::Duration};

use leasehold_core::{
    Cause, Command, Store, StoreError, Token,
    lock::{LockCommand, LockKeys},
};
use leasehold_fake_redis::{FakeConnection, FakeRedis, LostReply, Resp, faults::FaultKind};
use redis::{Commands, RedisError, RedisResult};

fn server(rule: &str) -> FakeRedis {
    let server = FakeRedis::default();
    server.fault(rule).unwrap();
    server
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn set(connection: &mut FakeConnection) -> RedisResult<()> {
    connection.set("job", "mine")
}

fn tells(error: &RedisError, lost: LostReply) -> bool {
    let timed_out = lost == LostReply::TimedOut;
    error.is_io_error()
        && (error.is_timeout(), error.is_connection_dropped()) == (timed_out, !timed_out)
        && error.to_string().contains(&lost.to_string())
}

fn job(server: &FakeRedis) -> Resp {
    server.command(&["GET", "job"])
}

fn mine() -> Resp {
    Resp::Bulk("mine".into())
}

fn effective(server: &FakeRedis) -> u64 {
    server.faults()[0].effective
}

fn acquire() -> Command {
    Command::Lock(LockCommand::Acquire {
        keys: LockKeys::of("job").into(),
        token: Token::new("mine").unwrap(),
        lease_ms: 1_000,
        fence_life_ms: 60_000,
        tombstone_ms: 60_000,
    })
}

/// Whether a future waits, however often it is asked.
async fn is_pending<T>(mut future: std::pin::Pin<&mut impl Future<Output = T>>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[test]
fn a_request_or_a_reply_that_is_lost_is_an_io_error_and_the_next_command_has_a_new_session() {
    let cases = [
        ("request-loss", LostReply::Closed, false),
        ("reply-loss", LostReply::Closed, true),
        ("reset", LostReply::Reset, false),
        ("reset executed=true", LostReply::Reset, true),
        ("hang", LostReply::TimedOut, false),
        ("hang executed=true", LostReply::TimedOut, true),
    ];
    for (rule, lost, executed) in cases {
        let server = server(&format!("{rule} command=SET next=1"));
        let mut blocking = server.connect();
        blocking.command(&["CLIENT", "SETNAME", "worker"]);
        let error = set(&mut blocking).unwrap_err();
        assert!(tells(&error, lost), "{rule}: {error}");
        assert_eq!(job(&server) == mine(), executed, "{rule}");
        assert_eq!(effective(&server), 1, "{rule}");
        assert_eq!(blocking.command(&["CLIENT", "GETNAME"]), Resp::Nil, "{rule}");
        set(&mut blocking).unwrap();
        assert_eq!(job(&server), mine(), "{rule}");
    }
}

#[test]
fn whoever_awaits_sees_the_same() {
    for (rule, lost) in
        [("reply-loss", LostReply::Closed), ("reset executed=true", LostReply::Reset)]
    {
        let server = server(&format!("{rule} command=SET next=1"));
        let mut connection = server.connect();
        let mut set = || run(redis::AsyncCommands::set::<_, _, ()>(&mut connection, "job", "mine"));
        assert!(tells(&set().unwrap_err(), lost), "{rule}");
        assert_eq!(job(&server), mine(), "{rule}");
        set().unwrap();
    }
}

#[test]
fn what_hangs_never_completes() {
    let server = server("hang command=SET executed=true");
    let connection = server.connect();
    run(async {
        let mut hangs = pin!(connection.send(&["SET", "job", "mine"]));
        assert!(is_pending(hangs.as_mut()).await);
        assert_eq!(job(&server), mine());
        server.clear_faults();
        assert!(is_pending(hangs.as_mut()).await);
    });
}

#[test]
fn a_command_of_a_pipeline_is_a_request() {
    let server = server("reply-loss command=SET next=1");
    let mut connection = server.connect();
    let pipeline = redis::pipe().incr("before", 1).set("job", "mine").incr("after", 1).clone();
    assert!(pipeline.query::<()>(&mut connection).unwrap_err().is_connection_dropped());
    let left = ["before", "job", "after"].map(|key| server.command(&["GET", key]) != Resp::Nil);
    assert_eq!(left, [true, true, false]);
}

#[test]
fn latency_lets_time_pass() {
    let server = server("latency fixed=2s command=DEL next=1");
    let mut connection = server.connect();
    let begin = server.time();
    server.command(&["SET", "job", "mine", "PX", "1000"]);
    assert_eq!(connection.del::<_, u64>("job"), Ok(0));
    assert_eq!(server.time() - begin, Duration::from_secs(2));
    assert_eq!(effective(&server), 1);
}

#[test]
fn a_duplicate_comes_when_its_time_has_come() {
    let server = server("duplicate after=1s command=SET next=1");
    let mut connection = server.connect();
    connection.command(&["SELECT", "3"]);
    set(&mut connection).unwrap();
    let here = || connection.command(&["EXISTS", "job"]);
    connection.command(&["DEL", "job"]);
    server.advance(Duration::from_millis(999));
    assert_eq!((here(), effective(&server)), (Resp::Integer(0), 0));
    // The keys that the copy sets live from when it comes, not from when somebody looks.
    server.advance(Duration::from_millis(1));
    assert_eq!((here(), effective(&server)), (Resp::Integer(1), 1));
    assert_eq!(job(&server), Resp::Nil);
}

#[test]
fn a_duplicate_at_once_comes_after_the_request() {
    let server = server("duplicate command=INCRBY next=1");
    let mut connection = server.connect();
    assert_eq!(connection.incr::<_, _, u64>("n", 1), Ok(1));
    assert_eq!(server.command(&["GET", "n"]), Resp::Bulk("2".into()));
}

#[test]
fn an_error_is_answered_and_the_command_not_executed() {
    let server = server("error text=READONLY command=SET next=1");
    let error = set(&mut server.connect()).unwrap_err();
    assert_eq!(error.code(), Some("READONLY"));
    assert_eq!(job(&server), Resp::Nil);
}

#[test]
fn a_stale_read_is_answered_from_older_data() {
    let server = server("stale-read lag=1s command=GET next=1");
    let mut connection = server.connect();
    server.command(&["SET", "job", "old"]);
    server.advance(Duration::from_secs(5));
    set(&mut connection).unwrap();
    let mut read = || connection.get::<_, String>("job").unwrap();
    assert_eq!([read(), read()], ["old", "mine"]);
    assert_eq!(effective(&server), 1);
}

#[test]
fn a_failover_loses_the_last_writes_and_every_session() {
    let server = server("failover command=SET lose=1s down=2s next=1");
    let mut connection = server.connect();
    let other = server.connect();
    other.command(&["CLIENT", "SETNAME", "worker"]);
    server.command(&["SET", "older", "yes"]);
    server.advance(Duration::from_secs(5));
    set(&mut connection).unwrap();
    assert!(tells(&set(&mut connection).unwrap_err(), LostReply::Reset));
    server.advance(Duration::from_secs(2));
    assert_eq!((job(&server), server.command(&["EXISTS", "older"])), (Resp::Nil, Resp::Integer(1)));
    assert_eq!(other.command(&["CLIENT", "GETNAME"]), Resp::Nil);
    assert_eq!(effective(&server), 1);
}

#[test]
fn who_waits_for_a_reply_when_the_server_restarts_has_lost_it() {
    let server = server("restart command=SET next=1");
    let waiting = server.connect();
    run(async {
        let mut waits = pin!(waiting.try_send(&["BLPOP", "queue", "0"]));
        assert!(is_pending(waits.as_mut()).await);
        assert_eq!(server.connect().try_command(&["SET", "job", "mine"]), Ok(Resp::OK));
        assert_eq!(waits.await, Err(LostReply::Closed));
    });
    assert_eq!(job(&server), Resp::Nil);
}

#[test]
fn the_clock_jumps_before_the_command() {
    let server = server("server-clock forward=2s command=DEL next=1");
    server.command(&["SET", "job", "mine", "PX", "1000"]);
    assert_eq!(server.connect().del::<_, u64>("job"), Ok(0));
}

#[test]
fn what_is_held_waits_for_its_release_also_on_a_thread() {
    let server = server("hold id=gate command=DEL connection=2 next=1");
    let (one, mut two) = (server.connect(), server.connect());
    two.command(&["SET", "job", "two"]);
    let late = thread::spawn(move || two.del::<_, u64>("job").unwrap());
    while server.faults()[0].injected == 0 {
        thread::yield_now();
    }
    assert_eq!(one.command(&["RENAME", "job", "elsewhere"]), Resp::OK);
    assert_eq!((server.release("other"), server.release("gate")), (0, 1));
    assert_eq!(late.join().unwrap(), 0);
    assert_eq!(effective(&server), 1);
}

#[test]
fn what_is_held_goes_on_by_another_request_by_time_or_without_its_rule_and_is_not_sent_if_dropped()
{
    type GoOn = fn(&FakeRedis);
    let go_on: [(&str, GoOn); 3] = [
        ("until=next", |server| drop(server.connect().command(&["RPUSH", "other", "x"]))),
        ("for=1s", |server| server.advance(Duration::from_secs(1))),
        ("until=release", |server| assert!(server.remove_fault("gate"))),
    ];
    for (how, go_on) in go_on {
        let server = server(&format!("hold id=gate command=SET next=1 {how}"));
        let connection = server.connect();
        run(async {
            let mut held = pin!(connection.send(&["SET", "job", "mine"]));
            assert!(is_pending(held.as_mut()).await, "{how}");
            go_on(&server);
            assert_eq!(held.await, Resp::OK, "{how}");
        });
    }
    let server = server("hold id=gate command=SET next=1");
    run(async {
        let connection = server.connect();
        let mut held = Box::pin(connection.send(&["SET", "job", "mine"]));
        assert!(is_pending(held.as_mut()).await);
        drop(held);
        assert_eq!((server.release("gate"), job(&server)), (0, Resp::Nil));
    });
}

#[test]
fn the_store_cannot_know() {
    let cases = [("request-loss", false), ("reply-loss", true), ("reset executed=true", true)];
    for (rule, executed) in cases {
        let server = server(&format!("{rule} command=EVALSHA next=1"));
        let result = run(server.execute(acquire()));
        assert!(matches!(result, Err(StoreError::Unknown(Cause::Disconnected(_)))), "{result:?}");
        assert_eq!(job(&server) == mine(), executed, "{rule}");
        assert!(run(server.execute(acquire())).is_ok(), "{rule}");
    }
    let server = server("error text=LOADING command=EVALSHA next=1");
    assert!(matches!(run(server.execute(acquire())), Err(StoreError::NotSent(Cause::TryAgain(_)))));
    server.fault("duplicate after=1s command=EVALSHA next=1").unwrap();
    assert!(run(server.execute(acquire())).is_ok());
    server.command(&["DEL", "job"]);
    server.advance(Duration::from_secs(1));
    assert_eq!(job(&server), mine());
}

#[test]
fn the_test_itself_is_never_hit_and_a_reset_forgets_all() {
    let server = server("request-loss");
    assert_eq!(server.command(&["SET", "job", "mine"]), Resp::OK);
    assert_eq!(server.faults()[0].seen, 0);
    server.reset();
    assert!(server.faults().is_empty());
    set(&mut server.connect()).unwrap();
}

#[test]
#[should_panic(expected = "`try_command` and `try_send` tell it")]
fn who_has_no_place_for_a_lost_reply_panics() {
    server("reply-loss").connect().command(&["PING"]);
}

#[test]
fn what_only_rest_has_and_what_cannot_be_read_is_refused() {
    let server = FakeRedis::default();
    for rule in ["status code=503", "hang transport=rest", "hang connection=rest"] {
        let refused = server.fault(rule).unwrap_err().to_string();
        assert!(refused.contains("no REST in this process"), "{rule}: {refused}");
    }
    assert!(server.fault("explode").unwrap_err().to_string().contains("choose one of"));
    server.fault("hang id=one").unwrap();
    assert!(server.fault("hang id=one").unwrap_err().to_string().contains("there is a rule `one`"));
    assert!(server.remove_fault("one") && !server.remove_fault("one"));
}

#[test]
fn every_kind_can_be_put_in_force_but_that_of_rest() {
    let fields = |kind: &str| match kind {
        "latency" => "fixed=1s",
        "error" => "text=OOM",
        "status" => "code=503",
        "stale-read" => "lag=1s",
        "server-clock" => "back=1s",
        _ => "",
    };
    for kind in FaultKind::NAMES {
        let put = FakeRedis::default().fault(&format!("{kind} {}", fields(kind)));
        assert_eq!(put.is_ok(), *kind != "status", "{kind}: {put:?}");
    }
}
