//! The commands answer as Redis 7 does. Every reply here was given by redis-server 7.0.15.

use crate::redis_support::{START_MS, Server};

const NOT_AN_INTEGER: &str = "!ERR value is not an integer or out of range";
const WRONG_TYPE: &str = "!WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn an_unknown_command_is_quoted_with_its_arguments() {
    let mut server = Server::new();
    server.expect(&[
        ("foo a b", "!ERR unknown command 'foo', with args beginning with: 'a' 'b' "),
        ("FOO", "!ERR unknown command 'FOO', with args beginning with: "),
        ("script foo", "!ERR unknown subcommand 'foo'. Try SCRIPT HELP."),
    ]);
    let long = "x".repeat(200);
    let quoted = format!("'{}' ", &long[..128]);
    let refused = format!("!ERR unknown command 'foo', with args beginning with: {quoted}");
    assert_eq!(server.ask_words(&["foo", &long, "b"]), refused);
}

#[test]
fn every_command_refuses_too_few_arguments_by_its_name() {
    let mut server = Server::new();
    for (line, name) in [
        ("GET", "get"),
        ("GET a b", "get"),
        ("set a", "set"),
        ("INCRBY a", "incrby"),
        ("DEL", "del"),
        ("EXPIRE a", "expire"),
        ("TYPE", "type"),
        ("HSET h f", "hset"),
        ("HSET h f v g", "hset"),
        ("HMGET h", "hmget"),
        ("TIME x", "time"),
        ("PING a b", "ping"),
        ("DBSIZE x", "dbsize"),
        ("EVAL x", "eval"),
        ("SCRIPT", "script"),
        ("SCRIPT LOAD", "script|load"),
        ("SCRIPT EXISTS", "script|exists"),
    ] {
        let refused = format!("!ERR wrong number of arguments for '{name}' command");
        assert_eq!(server.ask(line), refused, "{line}");
    }
}

#[test]
fn set_takes_every_option_and_refuses_contradictions() {
    let invalid = "!ERR invalid expire time in 'set' command";
    Server::new().expect(&[
        ("SET a b c", "!ERR syntax error"),
        ("SET a b NX XX", "!ERR syntax error"),
        ("SET a b EX", "!ERR syntax error"),
        ("SET a b EX 10 PX 10", "!ERR syntax error"),
        ("SET a b KEEPTTL EX 10", "!ERR syntax error"),
        ("SET a b EX 0", invalid),
        ("SET a b PXAT -1", invalid),
        ("SET a b EX 9223372036854774", invalid),
        ("SET a b PX 9223372036854775807", invalid),
        ("SET a b EX x", NOT_AN_INTEGER),
        ("EXISTS a", ":0"),
        ("SET a b XX", "nil"),
        ("SET a b nx", "+OK"),
        ("SET a c NX", "nil"),
        ("SET a c NX GET", "b"),
        ("SET a c GET XX PX 1500", "b"),
        ("PTTL a", ":1500"),
        ("SET a d KEEPTTL", "+OK"),
        ("PTTL a", ":1500"),
        ("TTL a", ":2"),
        ("SET a d", "+OK"),
        ("PTTL a", ":-1"),
        ("SET a b EXAT 1700000010", "+OK"),
        ("PTTL a", ":10000"),
        ("SET a b EXAT 1", "+OK"),
        ("GET a", "nil"),
    ]);
}

#[test]
fn counters_are_64_bit_integers_in_canonical_decimal() {
    let mut server = Server::new();
    server.expect(&[
        ("INCR n", ":1"),
        ("INCRBY n 9223372036854775807", "!ERR increment or decrement would overflow"),
        ("INCRBY n x", NOT_AN_INTEGER),
        ("DECRBY n -9223372036854775808", "!ERR decrement would overflow"),
        ("DECRBY n 5", ":-4"),
        ("DECR n", ":-5"),
        ("SET n 012", "+OK"),
        ("INCR n", NOT_AN_INTEGER),
        ("SET n -0", "+OK"),
        ("INCR n", NOT_AN_INTEGER),
        ("SET n 1 PX 500", "+OK"),
        ("INCR n", ":2"),
        ("PTTL n", ":500"),
    ]);
    server.ask_words(&["SET", "n", " 12"]);
    assert_eq!(server.ask("INCR n"), NOT_AN_INTEGER);
}

#[test]
fn a_key_is_there_at_its_last_millisecond_and_gone_in_the_next() {
    let mut server = Server::new();
    server.ask("SET a b PX 10");
    server.now_ms += 10;
    server.expect(&[("PTTL a", ":0"), ("GET a", "b"), ("TTL a", ":0")]);
    server.now_ms += 1;
    server.expect(&[("GET a", "nil"), ("PTTL a", ":-2"), ("EXISTS a", ":0"), ("DBSIZE", ":0")]);
}

#[test]
fn an_expired_key_is_absent_for_every_write() {
    let mut server = Server::new();
    server.expect(&[("SET a 5 PX 1", "+OK"), ("HSET h f v", ":1"), ("PEXPIRE h 1", ":1")]);
    server.now_ms += 2;
    server.expect(&[
        ("DEL a", ":0"),
        ("INCR a", ":1"),
        ("PTTL a", ":-1"),
        ("HSET h g w", ":1"),
        ("HGETALL h", "[g w]"),
        ("PERSIST h", ":0"),
    ]);
}

#[test]
fn expiry_conditions_compare_with_the_present_time_to_live() {
    let together = "!ERR NX and XX, GT or LT options at the same time are not compatible";
    Server::new().expect(&[
        ("SET a 1", "+OK"),
        ("EXPIRE a x", NOT_AN_INTEGER),
        ("EXPIRE a 10 FOO", "!ERR Unsupported option FOO"),
        ("EXPIRE nokey 10 FOO", "!ERR Unsupported option FOO"),
        ("EXPIRE a 10 NX XX", together),
        ("EXPIRE a 10 NX GT", together),
        ("EXPIRE a 10 GT LT", "!ERR GT and LT options at the same time are not compatible"),
        ("EXPIRE a 9223372036854775", "!ERR invalid expire time in 'expire' command"),
        ("PEXPIRE a 9223372036854775807", "!ERR invalid expire time in 'pexpire' command"),
        ("EXPIREAT nokey 9223372036854775807", "!ERR invalid expire time in 'expireat' command"),
        ("EXPIRE nokey 10", ":0"),
        ("PEXPIRE a 10000 GT", ":0"),
        ("PEXPIRE a 10000 XX", ":0"),
        ("PEXPIRE a 10000 LT", ":1"),
        ("PEXPIRE a 20000 LT", ":0"),
        ("PEXPIRE a 20000 NX", ":0"),
        ("PEXPIRE a 20000 GT", ":1"),
        ("TTL a", ":20"),
        ("PEXPIREAT a 1700000000005", ":1"),
        ("PTTL a", ":5"),
        ("PERSIST a", ":1"),
        ("PERSIST a", ":0"),
        ("EXPIREAT a -1", ":1"),
        ("EXISTS a", ":0"),
    ]);
}

#[test]
fn a_key_counts_as_often_as_it_is_named() {
    Server::new().expect(&[
        ("SET a 1", "+OK"),
        ("HSET h f v", ":1"),
        ("EXISTS a a h nokey", ":3"),
        ("TYPE a", "+string"),
        ("TYPE h", "+hash"),
        ("TYPE nokey", "+none"),
        ("DBSIZE", ":2"),
        ("DEL a a h", ":2"),
        ("DBSIZE", ":0"),
    ]);
}

#[test]
fn hashes_keep_fields_and_vanish_with_the_last() {
    Server::new().expect(&[
        ("HSET h f v g w", ":2"),
        ("HSET h f v2 x y", ":1"),
        ("HGET h f", "v2"),
        ("HGET h nope", "nil"),
        ("HGET nokey f", "nil"),
        ("HMGET h f nope x", "[v2 nil y]"),
        ("HMGET nokey f g", "[nil nil]"),
        ("HGETALL h", "[f v2 g w x y]"),
        ("HGETALL nokey", "[]"),
        ("HEXISTS h f", ":1"),
        ("HEXISTS h nope", ":0"),
        ("HDEL h nope", ":0"),
        ("HDEL h f f g", ":2"),
        ("HDEL h x", ":1"),
        ("EXISTS h", ":0"),
        ("HINCRBY h n 5", ":5"),
        ("HINCRBY h n x", NOT_AN_INTEGER),
        ("HINCRBY h n 9223372036854775807", "!ERR increment or decrement would overflow"),
        ("HSET h s x", ":1"),
        ("HINCRBY h s 1", "!ERR hash value is not an integer"),
    ]);
}

#[test]
fn a_command_for_another_type_is_refused() {
    let mut server = Server::new();
    server.ask("SET s x");
    server.ask("HSET h f v");
    for line in [
        "GET h", "INCR h", "SET h x GET", "SET h x NX GET", "HSET s f v", "HGET s f", "HMGET s f",
        "HDEL s f", "HGETALL s", "HEXISTS s f", "HINCRBY s f 1",
    ] {
        assert_eq!(server.ask(line), WRONG_TYPE, "{line}");
    }
    server.expect(&[("SET h x NX", "nil"), ("HGET h f", "v"), ("SET h x", "+OK")]);
}

#[test]
fn the_server_tells_its_own_time() {
    let mut server = Server::new();
    server.now_ms = START_MS + 1_234;
    server.expect(&[
        ("TIME", "[1700000001 234000]"),
        ("PING", "+PONG"),
        ("PING hi", "hi"),
        ("ECHO hi", "hi"),
        ("FLUSHALL FOO", "!ERR syntax error"),
        ("FLUSHALL SYNC ASYNC", "!ERR syntax error"),
        ("SET a b", "+OK"),
        ("FLUSHALL async", "+OK"),
        ("DBSIZE", ":0"),
    ]);
}
