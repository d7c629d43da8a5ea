//! What is published of what happens to keys. Every line was told by redis-server 7.0.15.

use crate::sessions_support::Talk;

/// The events that the second session is told of, one behind the other: `database:event key`.
fn events(told: &str) -> String {
    let begin = "b: >[pmessage __keyevent@* __keyevent@";
    let events = told.split(" | ").filter_map(|told| told.strip_prefix(begin));
    let events = events.map(|event| event.trim_end_matches(']').replacen("__:", ":", 1));
    events.collect::<Vec<_>>().join(", ")
}

#[test]
fn each_command_means_these_events() {
    let mut talk = Talk::new();
    talk.ask('a', "CONFIG SET notify-keyspace-events KEAmn");
    talk.ask('b', "PSUBSCRIBE __keyevent@*");
    for (line, expected) in EVENTS {
        let told = talk.ask('a', line);
        assert_eq!(events(&told), *expected, "{line}: {told}");
    }
}

#[test]
fn an_event_comes_under_the_key_and_then_under_its_name() {
    Talk::new().expect(&[
        ('b', "PSUBSCRIBE __key*", ">[psubscribe __key* :1]"),
        ('a', "SET a 1", "+OK"),
        ('a', "CONFIG SET notify-keyspace-events KE$", "+OK"),
        (
            'a',
            "SET a 1",
            "+OK | b: >[pmessage __key* __keyspace@0__:a set] | b: >[pmessage __key* \
                 __keyevent@0__:set a]",
        ),
        ('a', "DEL a", ":1"),
        ('a', "CONFIG SET notify-keyspace-events Kg", "+OK"),
        ('a', "SET a 1", "+OK"),
        ('a', "DEL a", ":1 | b: >[pmessage __key* __keyspace@0__:a del]"),
        ('a', "CONFIG SET notify-keyspace-events A", "+OK"),
        ('a', "SET a 1", "+OK"),
    ]);
}

#[test]
fn the_letters_are_told_as_redis_tells_them() {
    let mut talk = Talk::new();
    for (given, told) in [
        ("KEA", "AKE"),
        ("KEA$", "AKE"),
        ("AKEmn", "AKEm"),
        ("Kx", "xK"),
        ("KEgn", "gnKE"),
        ("mEK", "KEm"),
        ("g$lshzxetdE", "AE"),
    ] {
        assert_eq!(talk.ask('a', &format!("CONFIG SET notify-keyspace-events {given}")), "+OK");
        let expected = format!("{{notify-keyspace-events={told}}}");
        assert_eq!(talk.ask('a', "CONFIG GET notify-keyspace-events"), expected, "{given}");
    }
    assert_eq!(
        talk.ask('a', "CONFIG SET notify-keyspace-events KEQ"),
        "!ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - Invalid \
         event class character. Use 'Ag$lshzxeKEtmdn'."
    );
}

#[test]
fn a_key_that_expires_is_told_of_when_its_time_is_over() {
    let mut talk = Talk::new();
    talk.ask('a', "CONFIG SET notify-keyspace-events Ex");
    talk.ask('a', "SELECT 3");
    talk.ask('a', "SET job token PX 10");
    talk.ask('b', "SUBSCRIBE __keyevent@3__:expired");
    assert_eq!(talk.after(10), "");
    assert_eq!(talk.after(1), "b: >[message __keyevent@3__:expired job]");
    talk.ask('a', "SET job token PX 10");
    talk.now_ms += 11;
    let told = talk.ask('a', "GET job");
    assert_eq!(told, "nil | b: >[message __keyevent@3__:expired job]");
}

#[test]
fn without_active_expiry_a_key_goes_when_it_is_asked_for() {
    let mut talk = Talk::new();
    talk.ask('a', "CONFIG SET notify-keyspace-events Ex");
    talk.ask('a', "DEBUG SET-ACTIVE-EXPIRE 0");
    talk.ask('a', "SET job token PX 10");
    talk.ask('b', "SUBSCRIBE __keyevent@0__:expired");
    assert_eq!(talk.after(100), "");
    assert_eq!(talk.ask('a', "DBSIZE"), ":1");
    assert_eq!(talk.ask('a', "GET job"), "nil | b: >[message __keyevent@0__:expired job]");
    assert_eq!(talk.ask('a', "DBSIZE"), ":0");
}

#[test]
fn a_transaction_and_a_wait_tell_what_they_do() {
    let mut talk = Talk::new();
    talk.ask('a', "CONFIG SET notify-keyspace-events KEA");
    talk.ask('b', "PSUBSCRIBE __keyevent@*");
    talk.ask('c', "BLPOP list 0");
    assert_eq!(events(&talk.ask('a', "RPUSH list 1")), "0:rpush list, 0:lpop list, 0:del list");
    talk.ask('a', "MULTI");
    assert_eq!(events(&talk.ask('a', "INCR n")), "");
    assert_eq!(events(&talk.ask('a', "EXEC")), "0:incrby n");
}

#[rustfmt::skip]
const EVENTS: &[(&str, &str)] = &[
    ("set a 1", "0:new a, 0:set a"),
    ("set a 2 EX 100", "0:set a, 0:expire a"),
    ("set a 3 KEEPTTL", "0:set a"),
    ("set past 1 EXAT 1", "0:new past, 0:set past, 0:expire past"),
    ("set a 3", "0:expired past, 0:set a"),
    ("mset twice 1 twice 2", "0:new twice, 0:set twice, 0:set twice"),
    ("set a 3 NX", ""),
    ("set a 4 NX GET", ""),
    ("setnx a 1", ""),
    ("setex a 10 1", "0:set a, 0:expire a"),
    ("psetex b 100000 1", "0:new b, 0:set b, 0:expire b"),
    ("getset b 2", "0:set b"),
    ("mset a 1 n 2", "0:set a, 0:new n, 0:set n"),
    ("msetnx a 1 z 2", ""),
    ("append a x", "0:append a"),
    ("setrange a 1 x", "0:setrange a"),
    ("setbit a 1 1", "0:setbit a"),
    ("incr n", "0:incrby n"),
    ("decrby n 3", "0:incrby n"),
    ("incrbyfloat n 1.5", "0:incrbyfloat n"),
    ("get a", ""),
    ("get none", "0:keymiss none"),
    ("getdel a", "0:del a"),
    ("getex n EX 100", "0:expire n"),
    ("getex n PERSIST", "0:persist n"),
    ("getex n", ""),
    ("getex n PXAT 1", "0:del n"),
    ("set GETnone x GET", "0:keymiss GETnone, 0:new GETnone, 0:set GETnone"),
    ("expire b 100", "0:expire b"),
    ("expire b 100 NX", ""),
    ("persist b", "0:persist b"),
    ("persist b", ""),
    ("expire b -1", "0:del b"),
    ("exists none", "0:keymiss none"),
    ("rpush l a b c d", "0:new l, 0:rpush l"),
    ("lpushx l z", "0:lpush l"),
    ("lpushx nol z", ""),
    ("linsert l BEFORE a q", "0:linsert l"),
    ("lset l 0 y", "0:lset l"),
    ("lrem l 1 y", "0:lrem l"),
    ("lrem l 1 none", ""),
    ("ltrim l 0 2", "0:ltrim l"),
    ("lpop l", "0:lpop l"),
    ("lmove l l2 LEFT RIGHT", "0:new l2, 0:rpush l2, 0:lpop l"),
    ("rpoplpush l l2", "0:lpush l2, 0:rpop l, 0:del l"),
    ("lmove l2 l2 LEFT RIGHT", "0:rpush l2, 0:lpop l2"),
    ("lmpop 2 l l2 RIGHT COUNT 1", "0:rpop l2"),
    ("blpop l l2 1", "0:lpop l2, 0:del l2"),
    ("rpush l a b", "0:new l, 0:rpush l"),
    ("ltrim l 5 6", "0:ltrim l, 0:del l"),
    ("sadd s 1 2 3", "0:new s, 0:sadd s"),
    ("sadd s 1", ""),
    ("zadd twice2 1 a", "0:new twice2, 0:zadd twice2"),
    ("zmpop 3 twice2 twice2 none MIN", "0:zpopmin twice2, 0:del twice2"),
    ("srem s 1", "0:srem s"),
    ("spop s", "0:spop s"),
    ("smove s s2 none", ""),
    ("sadd s x", "0:sadd s"),
    ("smove s s2 x", "0:srem s, 0:new s2, 0:sadd s2"),
    ("sinterstore s3 s s2", ""),
    ("sunionstore s3 s s2", "0:new s3, 0:sunionstore s3"),
    ("sinterstore s3 none s2", "0:keymiss none, 0:del s3"),
    ("srem s 1 2 3", "0:srem s, 0:del s"),
    ("del s s2 none", "0:del s2"),
    ("hset h a 1 b 2", "0:new h, 0:hset h"),
    ("hsetnx h a 1", ""),
    ("hincrby h a 1", "0:hincrby h"),
    ("hincrbyfloat h a 1.5", "0:hincrbyfloat h"),
    ("hmset h c 1", "0:hset h"),
    ("hdel h a c", "0:hdel h"),
    ("hdel h none", ""),
    ("hdel h b", "0:hdel h, 0:del h"),
    ("zadd z 1 a 2 b 3 c 4 d", "0:new z, 0:zadd z"),
    ("zadd z 1 a", ""),
    ("zadd z INCR 2 a", "0:zincr z"),
    ("zincrby z 1 a", "0:zincr z"),
    ("zrem z a", "0:zrem z"),
    ("zremrangebyrank z 0 0", "0:zremrangebyrank z"),
    ("zremrangebyscore z 9 10", ""),
    ("zpopmin z", "0:zpopmin z"),
    ("zunionstore z2 1 z", "0:new z2, 0:zunionstore z2"),
    ("zinterstore z2 2 z none", "0:keymiss none, 0:del z2"),
    ("zrangestore z3 z 0 -1", "0:new z3, 0:zrangestore z3"),
    ("zdiffstore z3 1 z", "0:zdiffstore z3"),
    ("bzpopmax z z2 1", "0:zpopmax z, 0:del z"),
    ("zmpop 2 z z3 MIN", "0:zpopmin z3, 0:del z3"),
    ("xadd st 1-1 a b", "0:new st, 0:xadd st"),
    ("xadd st MAXLEN 1 2-1 a b", "0:xadd st, 0:xtrim st"),
    ("xadd st 3-1 a b", "0:xadd st"),
    ("xdel st 3-1", "0:xdel st"),
    ("xtrim st MAXLEN 0", "0:xtrim st"),
    ("xsetid st 9-9", "0:xsetid st"),
    ("xgroup create st g $", "0:xgroup-create st"),
    ("xgroup create newst g $ MKSTREAM", "0:new newst, 0:xgroup-create newst"),
    ("xgroup createconsumer st g c", "0:xgroup-createconsumer st"),
    ("xadd st 10-1 a b", "0:xadd st"),
    ("xreadgroup group g c2 STREAMS st >", "0:xgroup-createconsumer st"),
    ("xreadgroup group g c2 STREAMS st >", ""),
    ("xclaim st g c3 0 10-1", "0:xgroup-createconsumer st"),
    ("xautoclaim st g c4 0 0", "0:xgroup-createconsumer st"),
    ("xack st g 10-1", ""),
    ("xgroup setid st g 0", "0:xgroup-setid st"),
    ("xgroup delconsumer st g c2", "0:xgroup-delconsumer st"),
    ("xgroup destroy st g", "0:xgroup-destroy st"),
    ("set r 1", "0:new r, 0:set r"),
    ("rename r r2", "0:new r2, 0:rename_from r, 0:rename_to r2"),
    ("rename r2 r2", ""),
    ("set r3 1", "0:new r3, 0:set r3"),
    ("renamenx r2 r3", ""),
    ("rename r2 r3", "0:new r3, 0:rename_from r2, 0:rename_to r3"),
    ("copy r3 r4", "0:new r4, 0:copy_to r4"),
    ("copy r3 r4", ""),
    ("copy r3 r4 REPLACE", "0:new r4, 0:copy_to r4"),
    ("copy r3 r5 DB 1", "1:new r5, 1:copy_to r5"),
    ("move r3 1", "1:new r3, 0:move_from r3, 1:move_to r3"),
    ("move none 1", ""),
    ("rpush so 2 1", "0:new so, 0:rpush so"),
    ("sort so STORE so2", "0:new so2, 0:sortstore so2"),
    ("sort none STORE so2", "0:keymiss none, 0:del so2"),
    ("sort none STORE so2", "0:keymiss none"),
    ("unlink so so2", "0:del so"),
    ("type none", "0:keymiss none"),
    ("ttl none", "0:keymiss none"),
    ("object encoding none", ""),
    ("touch none", "0:keymiss none"),
    ("strlen none", "0:keymiss none"),
    ("pexpireat n 1", ""),
    ("swapdb 0 1", ""),
    ("flushall", ""),
];
