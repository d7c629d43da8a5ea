//! Hashes. Every reply here was given by redis-server 7.0.15.

use crate::redis_support::Server;

#[test]
fn fields_are_set_counted_and_listed() {
    Server::new().expect(&[
        ("HSET h a 1 b 2 c 3", ":3"),
        ("HSETNX h a 9", ":0"),
        ("HSETNX h d 4", ":1"),
        ("HMSET h e 5 f", "!ERR wrong number of arguments for 'hmset' command"),
        ("HMSET h e 5", "+OK"),
        ("HGET h e", "5"),
        ("HVALS h", "[1 2 3 4 5]"),
        ("HKEYS h", "[a b c d e]"),
        ("HLEN h", ":5"),
        ("HLEN none", ":0"),
        ("HKEYS none", "[]"),
        ("HGETALL h", "[a 1 b 2 c 3 d 4 e 5]"),
        ("HSTRLEN h e", ":1"),
        ("HSTRLEN h none", ":0"),
        ("HSTRLEN none x", ":0"),
        ("HDEL h e d", ":2"),
        ("HMGET h a z", "[1 nil]"),
        ("HMGET none a z", "[nil nil]"),
        ("HINCRBY h a 5", ":6"),
        ("HINCRBY h n x", "!ERR value is not an integer or out of range"),
        ("HINCRBY h n 9223372036854775807", ":9223372036854775807"),
        ("HINCRBY h n 1", "!ERR increment or decrement would overflow"),
        ("HSET h s text", ":1"),
        ("HINCRBY h s 1", "!ERR hash value is not an integer"),
        ("HINCRBY h s x", "!ERR value is not an integer or out of range"),
    ]);
}

#[test]
fn floating_point_fields_are_added_to() {
    Server::new().expect(&[
        ("HINCRBYFLOAT h f 10.5", "10.5"),
        ("HINCRBYFLOAT h f 0.1", "10.6"),
        ("HINCRBYFLOAT h f x", "!ERR value is not a valid float"),
        ("HINCRBYFLOAT h f nan", "!ERR value is not a valid float"),
        ("HINCRBYFLOAT h f inf", "!ERR value is NaN or Infinity"),
        ("HSET h s text", ":1"),
        ("HINCRBYFLOAT h s 1", "!ERR hash value is not a float"),
        ("HINCRBYFLOAT h s x", "!ERR value is not a valid float"),
        ("HGET h f", "10.6"),
        ("HINCRBYFLOAT h f 1e20", "100000000000000000008"),
        ("SET k x", "+OK"),
        (
            "HINCRBYFLOAT k f 1",
            "!WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
        ("HINCRBYFLOAT k f x", "!ERR value is not a valid float"),
    ]);
}

#[test]
fn fields_are_drawn() {
    Server::new().expect(&[
            ("HRANDFIELD none", "nil"),
            ("HRANDFIELD none 2", "[]"),
            ("HRANDFIELD none 2 WITHVALUES", "[]"),
            ("HSET h a 1", ":1"),
            ("HRANDFIELD h", "a"),
            ("HRANDFIELD h 3", "[a]"),
            ("HRANDFIELD h -3", "[a a a]"),
            ("HRANDFIELD h 2 WITHVALUES", "[a 1]"),
            ("HRANDFIELD h -2 withvalues", "[a 1 a 1]"),
            ("HRANDFIELD h 0", "[]"),
            ("HRANDFIELD h x", "!ERR value is not an integer or out of range"),
            ("HRANDFIELD h 1 FOO", "!ERR syntax error"),
            ("HRANDFIELD h 1 WITHVALUES x", "!ERR syntax error"),
            ("HRANDFIELD h -9223372036854775808", "!ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"),
            ("HRANDFIELD h -9223372036854775807 WITHVALUES", "!ERR value is out of range"),
            ("HRANDFIELD none 1 FOO", "!ERR syntax error"),
    ]);
}

#[test]
fn a_small_hash_is_scanned_at_once() {
    Server::new().expect(&[
        ("HSET h a 1 b 2 abc 3", ":3"),
        ("HSCAN h 0", "[0 [a 1 b 2 abc 3]]"),
        ("HSCAN h 0 MATCH a*", "[0 [a 1 abc 3]]"),
        ("HSCAN h 0 COUNT 1", "[0 [a 1 b 2 abc 3]]"),
        ("HSCAN h 0 COUNT 0", "!ERR syntax error"),
        ("HSCAN h 0 COUNT x", "!ERR value is not an integer or out of range"),
        ("HSCAN h 0 FOO 1", "!ERR syntax error"),
        ("HSCAN h 0 MATCH", "!ERR syntax error"),
        ("HSCAN h x", "!ERR invalid cursor"),
        ("HSCAN h -1", "[0 [a 1 b 2 abc 3]]"),
        ("HSCAN none 0", "[0 []]"),
        ("HSCAN none x", "!ERR invalid cursor"),
        ("HSCAN h 0 TYPE string", "!ERR syntax error"),
        ("HSCAN h 5", "[0 [a 1 b 2 abc 3]]"),
    ]);
}

#[test]
fn a_hash_command_refuses_another_type() {
    Server::new().expect(&[
        ("SET s x", "+OK"),
        ("HSETNX s a 9", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HMSET s e 5", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HVALS s", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HKEYS s", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HLEN s", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HSTRLEN s a", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HRANDFIELD s", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HRANDFIELD s x", "!ERR value is not an integer or out of range"),
        ("HSCAN s 0", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HSCAN s x", "!ERR invalid cursor"),
        ("HINCRBY s a x", "!ERR value is not an integer or out of range"),
        ("HINCRBY s a 1", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HDEL s a", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("HGETALL s", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}
