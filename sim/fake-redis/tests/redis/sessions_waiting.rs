//! Transactions, and commands that wait. Replies are those of redis-server 7.0.15.

use crate::sessions_support::Talk;
use leasehold_fake_redis::Settings;

const ABORTED: &str = "!EXECABORT Transaction discarded because of previous errors.";

#[test]
fn a_transaction_runs_at_once_and_also_past_an_error() {
    Talk::new().expect(&[
        ('a', "MULTI", "+OK"),
        ('a', "SET x one", "+QUEUED"),
        ('a', "INCR x", "+QUEUED"),
        ('b', "GET x", "nil"),
        ('a', "GET x", "+QUEUED"),
        ('a', "EXEC", "[+OK !ERR value is not an integer or out of range one]"),
        ('a', "EXEC", "!ERR EXEC without MULTI"),
        ('a', "DISCARD", "!ERR DISCARD without MULTI"),
        ('a', "MULTI", "+OK"),
        ('a', "EXEC", "[]"),
    ]);
}

#[test]
fn what_is_refused_while_it_is_queued_spoils_the_transaction() {
    let arity = "!ERR wrong number of arguments for 'get' command";
    let unknown = "!ERR unknown command 'FOO', with args beginning with: ";
    let not_here = "!ERR Command not allowed inside a transaction";
    for (line, refusal) in
        [("GET", arity), ("FOO", unknown), ("SAVE", not_here), ("SHUTDOWN", not_here)]
    {
        Talk::new().expect(&[
            ('a', "MULTI", "+OK"),
            ('a', "SET x 1", "+QUEUED"),
            ('a', line, refusal),
            ('a', "EXEC", ABORTED),
            ('a', "GET x", "nil"),
        ]);
    }
    Talk::new().expect(&[
        ('a', "MULTI", "+OK"),
        ('a', "MULTI", "!ERR MULTI calls can not be nested"),
        ('a', "WATCH x", "!ERR WATCH inside MULTI is not allowed"),
        ('a', "SET x 1", "+QUEUED"),
        ('a', "DISCARD", "+OK"),
        ('a', "GET x", "nil"),
        ('a', "MULTI", "+OK"),
        ('a', "RESET", "+RESET"),
        ('a', "EXEC", "!ERR EXEC without MULTI"),
    ]);
}

#[test]
fn nothing_runs_once_a_watched_key_has_changed() {
    for change in [
        "SET x 1",
        "DEL x",
        "FLUSHALL",
        "PEXPIRE x 100",
        "EVAL return{redis.call('incr',KEYS[1])} 1 x",
    ] {
        let mut talk = Talk::new();
        talk.ask('a', "SET x 1");
        talk.ask('a', "WATCH y x");
        talk.ask('b', change);
        talk.ask('a', "MULTI");
        talk.ask('a', "SET y 1");
        assert_eq!(talk.ask('a', "EXEC"), "nil-array", "{change}");
        // The watch has ended.
        talk.ask('a', "MULTI");
        assert_eq!(talk.ask('a', "EXEC"), "[]", "{change}");
    }
}

#[test]
fn a_watched_key_that_expires_has_changed() {
    let mut talk = Talk::new();
    talk.ask('a', "SET x 1 PX 10");
    talk.ask('a', "WATCH x");
    talk.ask('a', "MULTI");
    talk.after(11);
    assert_eq!(talk.ask('a', "EXEC"), "nil-array");
}

#[test]
fn what_does_not_touch_a_watched_key_lets_the_transaction_run() {
    for (other, line) in [('b', "GET x"), ('b', "SET y 1"), ('a', "UNWATCH"), ('b', "DEL none")] {
        let mut talk = Talk::new();
        talk.ask('a', "WATCH x none");
        talk.ask(other, line);
        talk.ask('a', "MULTI");
        assert_eq!(talk.ask('a', "EXEC"), "[]", "{line}");
    }
    let mut talk = Talk::new();
    talk.ask('b', "SELECT 1");
    talk.ask('a', "WATCH x");
    talk.ask('b', "SET x 1");
    talk.ask('a', "MULTI");
    assert_eq!(talk.ask('a', "EXEC"), "[]", "another database");
}

#[test]
fn those_who_wait_for_a_key_are_served_first_come_first() {
    Talk::new().expect(&[
        ('a', "BLPOP jobs other 0", "waits"),
        ('b', "BRPOP jobs 0", "waits"),
        ('c', "SET jobs x", "+OK"),
        ('c', "DEL jobs", ":1"),
        ('c', "RPUSH jobs one two three", ":3 | a!: [jobs one] | b!: [jobs three]"),
        ('c', "LRANGE jobs 0 -1", "[two]"),
        ('a', "BLPOP jobs 0", "[jobs two]"),
    ]);
}

#[test]
fn a_wait_sees_a_transaction_or_a_script_as_a_whole() {
    Talk::new().expect(&[
        ('a', "BLPOP jobs 0", "waits"),
        ('c', "MULTI", "+OK"),
        ('c', "RPUSH jobs one", "+QUEUED"),
        ('c', "DEL jobs", "+QUEUED"),
        ('c', "EXEC", "[:1 :1]"),
        ('c', "EVAL return{redis.call('rpush','jobs','two')} 0", "[:1] | a!: [jobs two]"),
        ('c', "EXISTS jobs", ":0"),
    ]);
}

#[test]
fn what_one_waiter_moves_another_one_gets() {
    Talk::new().expect(&[
        ('a', "BLPOP to 0", "waits"),
        ('b', "BLMOVE from to LEFT RIGHT 0", "waits"),
        ('c', "RPUSH from x", ":1 | b!: x | a!: [to x]"),
    ]);
}

#[test]
fn a_wait_ends_at_its_timeout_or_when_it_is_told_to() {
    let mut talk = Talk::new();
    assert_eq!(talk.server.next_wake(), None);
    talk.expect(&[
        ('a', "BLPOP x y", "!ERR timeout is not a float or out of range"),
        ('a', "BLPOP x -1", "!ERR timeout is negative"),
        ('a', "BLPOP x 0.5", "waits"),
        ('b', "BLMOVE x y LEFT LEFT 2", "waits"),
    ]);
    assert_eq!(talk.server.next_wake(), Some((talk.now_ms + 501) * 1_000));
    assert_eq!(talk.after(500), "");
    assert_eq!(talk.after(1), "a!: nil-array");
    talk.expect(&[
        ('c', "CLIENT UNBLOCK 1", ":0"),
        ('c', "CLIENT UNBLOCK 2 ERROR", ":1 | b!: !UNBLOCKED client unblocked via CLIENT UNBLOCK"),
        ('b', "BLPOP x 0", "waits"),
        ('c', "CLIENT UNBLOCK 2", ":1 | b!: nil-array"),
    ]);
    assert_eq!(talk.server.next_wake(), None);
}

#[test]
fn nothing_waits_inside_a_transaction() {
    Talk::new().expect(&[
        ('a', "MULTI", "+OK"),
        ('a', "BLPOP x 0", "+QUEUED"),
        ('a', "WAIT 1 0", "+QUEUED"),
        ('a', "EXEC", "[nil-array :0]"),
    ]);
}

#[test]
fn a_pause_holds_writes_back_until_its_end() {
    let mut talk = Talk::new();
    talk.expect(&[
        ('c', "CLIENT PAUSE x", "!ERR timeout is not an integer or out of range"),
        ('c', "CLIENT PAUSE 100 FOO", "!ERR CLIENT PAUSE mode must be WRITE or ALL"),
        ('c', "CLIENT PAUSE 100 WRITE", "+OK"),
        ('a', "SET x 1", "waits"),
        ('b', "GET x", "nil"),
    ]);
    assert_eq!(talk.after(100), "a!: +OK");
    talk.expect(&[
        ('c', "CLIENT PAUSE 100 WRITE", "+OK"),
        ('a', "INCR x", "waits"),
        ('c', "CLIENT UNPAUSE", "+OK | a!: :2"),
        ('a', "INCR x", ":3"),
    ]);
}

#[test]
fn replicas_have_a_write_one_lag_later_and_may_lose_the_last() {
    let mut talk = Talk::with(Settings::default().replicas(2, 50_000));
    talk.expect(&[
        ('a', "WAIT 2 0", ":2"),
        ('a', "SET x 1", "+OK"),
        ('a', "WAIT 1 10", "waits"),
        ('b', "WAIT 2 0", "waits"),
        ('c', "WAIT 3 60", "waits"),
    ]);
    // At the last millisecond of its time it still waits.
    assert_eq!(talk.after(10), "");
    assert_eq!(talk.after(1), "a!: :0");
    assert_eq!(talk.after(39), "b!: :2");
    assert_eq!(talk.after(11), "c!: :2");
    talk.expect(&[('a', "SET y 1", "+OK")]);
    talk.after(20);
    talk.expect(&[('a', "SET x 2", "+OK")]);
    let now_us = talk.now_ms * 1_000;
    assert_eq!(talk.server.fail_over(now_us, 10_000), Some(1));
    let session = talk.server.connect();
    let mut get =
        |key: &'static str| talk.server.execute(now_us, session, &["GET".into(), key.into()]);
    let told = |text: &'static str| {
        leasehold_fake_redis::Executed::Replies(vec![leasehold_fake_redis::Resp::Bulk(text.into())])
    };
    assert_eq!(get("x"), told("1"));
    assert_eq!(get("y"), told("1"));
}

#[test]
fn a_replica_answers_from_what_it_has() {
    let mut talk = Talk::with(Settings::default().replicas(1, 50_000));
    talk.ask('a', "SET x 1");
    let session = talk.server.connect();
    let get = ["GET".into(), "x".into()];
    let mut read = |now_ms: u64| talk.server.execute_on_replica(now_ms * 1_000, session, &get);
    let nil = leasehold_fake_redis::Executed::Replies(vec![leasehold_fake_redis::Resp::Nil]);
    assert_eq!(read(talk.now_ms), nil);
    assert_ne!(read(talk.now_ms + 51), nil);
    assert_eq!(talk.ask('a', "GET x"), "1");
}
