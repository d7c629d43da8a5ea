//! `SORT`. Every reply here was given by redis-server 7.0.15.

mod redis_support;

use redis_support::Server;

#[test]
fn members_are_sorted_by_themselves_or_by_what_belongs_to_them() {
    Server::new().expect(&[
        ("SORT none", "[]"),
        ("RPUSH l 10 9 1 100", ":4"),
        ("SORT l", "[1 9 10 100]"),
        ("SORT l DESC", "[100 10 9 1]"),
        ("SORT l ALPHA", "[1 10 100 9]"),
        ("SORT l LIMIT 1 2", "[9 10]"),
        ("SORT l LIMIT -1 2", "[1 9]"),
        ("SORT l LIMIT 1 -1", "[9 10 100]"),
        ("SORT l LIMIT 9 2", "[]"),
        ("SORT l LIMIT x 2", "!ERR value is not an integer or out of range"),
        ("SORT l BY", "!ERR syntax error"),
        ("SORT l BY none", "[10 9 1 100]"),
        ("SORT l BY none DESC LIMIT 1 2", "[1 9]"),
        ("MSET w10 3 w9 2 w1 1 w100 0", "+OK"),
        ("SORT l BY w*", "[100 1 9 10]"),
        ("SORT l BY w* DESC GET # GET w* GET none", "[10 3 nil 9 2 nil 1 1 nil 100 0 nil]"),
        ("HSET h10 f a", ":1"),
        ("HSET h9 f b", ":1"),
        ("SORT l GET h*->f", "[nil b a nil]"),
        ("SORT l BY h*->f ALPHA", "[1 100 10 9]"),
        ("SORT l BY h*->f", "!ERR One or more scores can't be converted into double"),
        ("SORT l BY missing* STORE d", ":4"),
        ("LRANGE d 0 -1", "[1 10 100 9]"),
        ("SORT l GET h*->f STORE d", ":4"),
        ("LRANGE d 0 -1", "[ b a ]"),
        ("SORT none STORE d", ":0"),
        ("EXISTS d", ":0"),
        ("SADD s b a c", ":3"),
        ("SORT s", "!ERR One or more scores can't be converted into double"),
        ("SORT s ALPHA", "[a b c]"),
        ("SORT s BY none STORE d", ":3"),
        ("LRANGE d 0 -1", "[a b c]"),
        ("EVAL return{redis.call('sort','s','by','none')} 0", "[[a b c]]"),
        ("ZADD z 1 3 2 2 3 1", ":3"),
        ("SORT z", "[1 2 3]"),
        ("SORT z BY none", "[3 2 1]"),
        ("SORT z BY none DESC LIMIT 0 2", "[1 2]"),
        ("SORT_RO z BY none LIMIT 1 1", "[2]"),
        ("SORT_RO l STORE d", "!ERR syntax error"),
        ("SET t x", "+OK"),
        ("SORT t", "!WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SORT t FOO", "!ERR syntax error"),
        ("SORT", "!ERR wrong number of arguments for 'sort' command"),
        ("COMMAND GETKEYS SORT l BY w* LIMIT 0 1 STORE d STORE e", "[l e]"),
    ]);
}
