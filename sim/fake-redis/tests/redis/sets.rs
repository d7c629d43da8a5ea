//! Sets. Every reply here was given by redis-server 7.0.15.

use crate::redis_support::Server;

#[test]
fn members_are_added_removed_and_asked_for() {
    Server::new().expect(&[
        ("SADD s b", ":1"),
        ("SADD s b a b", ":1"),
        ("SCARD s", ":2"),
        ("SCARD none", ":0"),
        ("SISMEMBER s a", ":1"),
        ("SISMEMBER s z", ":0"),
        ("SISMEMBER none z", ":0"),
        ("SMISMEMBER s a z b", "[:1 :0 :1]"),
        ("SMISMEMBER none a", "[:0]"),
        ("SREM s z", ":0"),
        ("SREM s a z", ":1"),
        ("SREM none a", ":0"),
        ("SMEMBERS s", "[b]"),
        ("SREM s b", ":1"),
        ("EXISTS s", ":0"),
        ("SMEMBERS none", "[]"),
    ]);
}

#[test]
fn small_sets_of_integers_are_sorted() {
    Server::new().expect(&[
        ("SADD i 30 4 200 -5 1", ":5"),
        ("SMEMBERS i", "[-5 1 4 30 200]"),
        ("SREM i 4", ":1"),
        ("SMEMBERS i", "[-5 1 30 200]"),
        ("SADD j 1 200 7", ":3"),
        ("SUNION i j", "[-5 1 7 30 200]"),
        ("SINTER i j", "[1 200]"),
        ("SDIFF i j", "[-5 30]"),
        ("SSCAN i 0", "[0 [-5 1 30 200]]"),
        ("SSCAN i 0 COUNT 1 MATCH *0*", "[0 [30 200]]"),
        ("SSCAN i 0 COUNT 0", "!ERR syntax error"),
        ("SSCAN i 0 TYPE x", "!ERR syntax error"),
        ("SSCAN none 0 FOO", "[0 []]"),
        ("SSCAN i x", "!ERR invalid cursor"),
    ]);
}

#[test]
fn sets_are_combined() {
    Server::new().expect(&[
        ("SADD a 1 2 3 4", ":4"),
        ("SADD b 3 4 5", ":3"),
        ("SADD c 4", ":1"),
        ("SDIFF a b c", "[1 2]"),
        ("SDIFF none a", "[]"),
        ("SDIFF a none", "[1 2 3 4]"),
        ("SINTER a b c", "[4]"),
        ("SINTER a none", "[]"),
        ("SUNION a none c", "[1 2 3 4]"),
        ("SDIFFSTORE d a b", ":2"),
        ("SMEMBERS d", "[1 2]"),
        ("SINTERSTORE d a b", ":2"),
        ("SMEMBERS d", "[3 4]"),
        ("SUNIONSTORE d b c", ":3"),
        ("SMEMBERS d", "[3 4 5]"),
        ("SINTERSTORE d a none", ":0"),
        ("EXISTS d", ":0"),
        ("SET d x", "+OK"),
        ("SUNIONSTORE d c", ":1"),
        ("TYPE d", "+set"),
        ("SINTERCARD 2 a b", ":2"),
        ("SINTERCARD 2 a b LIMIT 1", ":1"),
        ("SINTERCARD 2 a b LIMIT 0", ":2"),
        ("SINTERCARD 2 a b LIMIT -1", "!ERR LIMIT can't be negative"),
        ("SINTERCARD 2 a b LIMIT x", "!ERR LIMIT can't be negative"),
        ("SINTERCARD 2 a b LIMIT", "!ERR syntax error"),
        ("SINTERCARD 2 a b FOO 1", "!ERR syntax error"),
        ("SINTERCARD 0 a", "!ERR numkeys should be greater than 0"),
        ("SINTERCARD x a", "!ERR numkeys should be greater than 0"),
        ("SINTERCARD 3 a b", "!ERR Number of keys can't be greater than number of args"),
        ("SINTERCARD 2 a none", ":0"),
        ("SMOVE a b 1", ":1"),
        ("SMOVE a b 99", ":0"),
        ("SMOVE none b 1", ":0"),
        ("SMOVE a a 2", ":1"),
        ("SMOVE a new 2", ":1"),
        ("SMEMBERS b", "[1 3 4 5]"),
        ("SMEMBERS new", "[2]"),
    ]);
}

#[test]
fn members_are_drawn() {
    Server::new().expect(&[
            ("SPOP none", "nil"),
            ("SPOP none 1", "[]"),
            ("SPOP none x", "!ERR value is out of range, must be positive"),
            ("SPOP none -1", "!ERR value is out of range, must be positive"),
            ("SPOP none 1 2", "!ERR syntax error"),
            ("SADD s a", ":1"),
            ("SRANDMEMBER s", "a"),
            ("SRANDMEMBER s 5", "[a]"),
            ("SRANDMEMBER s -2", "[a a]"),
            ("SRANDMEMBER s 0", "[]"),
            ("SRANDMEMBER s x", "!ERR value is not an integer or out of range"),
            ("SRANDMEMBER s 1 2", "!ERR syntax error"),
            ("SRANDMEMBER none", "nil"),
            ("SRANDMEMBER none 3", "[]"),
            ("SRANDMEMBER s -9223372036854775808", "!ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"),
            ("SPOP s 0", "[]"),
            ("SPOP s", "a"),
            ("EXISTS s", ":0"),
            ("SADD s 1 2 3", ":3"),
            ("SPOP s 5", "[1 2 3]"),
            ("EXISTS s", ":0"),
    ]);
}

#[test]
fn a_set_command_refuses_another_type() {
    Server::new().expect(&[
        ("SET k x", "+OK"),
        ("SADD s a", ":1"),
        ("SADD k a", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SREM k a", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SCARD k", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SISMEMBER k a", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SMISMEMBER k a", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SMEMBERS k", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SPOP k", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SPOP k x", "!ERR value is out of range, must be positive"),
        ("SRANDMEMBER k", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SRANDMEMBER k x", "!ERR value is not an integer or out of range"),
        ("SMOVE k s a", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SMOVE s k a", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SMOVE none k a", ":0"),
        ("SMOVE s k z", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SDIFF s k", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SDIFF none k", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SINTER none k", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SINTER k none", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SUNION none k", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SUNIONSTORE s k", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        (
            "SINTERCARD 2 none k",
            "!WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
        ("SSCAN k 0", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SSCAN k 0 FOO", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}
