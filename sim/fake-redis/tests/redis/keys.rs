//! Keys of any type. Every reply here was given by redis-server 7.0.15.

use crate::redis_support::Server;

#[test]
fn keys_are_renamed_copied_and_moved() {
    Server::new().expect(&[
        ("SET a 1 PX 100000", "+OK"),
        ("RENAME a b", "+OK"),
        ("PTTL none", ":-2"),
        ("RENAME none b", "!ERR no such key"),
        ("RENAME none none", "!ERR no such key"),
        ("RENAMENX none b", "!ERR no such key"),
        ("RENAMENX b b", ":0"),
        ("SET c 2", "+OK"),
        ("RENAMENX b c", ":0"),
        ("RENAMENX b d", ":1"),
        ("RENAME c c", "+OK"),
        ("COPY d e", ":1"),
        ("COPY d c", ":0"),
        ("COPY d c REPLACE", ":1"),
        ("COPY d d", "!ERR source and destination objects are the same"),
        ("COPY none x", ":0"),
        ("COPY d e DB 1", ":1"),
        ("COPY d e DB 1", ":0"),
        ("COPY d d DB 1", ":1"),
        ("COPY d e DB 99", "!ERR DB index is out of range"),
        ("COPY d e DB x", "!ERR value is not an integer or out of range"),
        ("COPY d e FOO", "!ERR syntax error"),
        ("COPY d e DB", "!ERR syntax error"),
        ("MOVE d 0", "!ERR source and destination objects are the same"),
        ("MOVE d 1", ":0"),
        ("MOVE e 2", ":1"),
        ("MOVE e 2", ":0"),
        ("MOVE none 2", ":0"),
        ("MOVE c 99", "!ERR DB index is out of range"),
        ("MOVE c x", "!ERR value is not an integer or out of range"),
        ("MOVE c -1", "!ERR DB index is out of range"),
        ("EXISTS d e c", ":2"),
        ("SWAPDB 0 2", "+OK"),
        ("EXISTS d e c", ":1"),
        ("SWAPDB 0 99", "!ERR DB index is out of range"),
        ("SWAPDB x 1", "!ERR invalid first DB index"),
        ("SWAPDB 0 x", "!ERR invalid second DB index"),
        ("SWAPDB 0 0", "+OK"),
        ("FLUSHDB", "+OK"),
        ("EXISTS e", ":0"),
        ("FLUSHDB FOO", "!ERR syntax error"),
        ("FLUSHDB ASYNC", "+OK"),
        ("FLUSHALL SYNC", "+OK"),
        ("FLUSHALL SYNC x", "!ERR syntax error"),
        ("SWAPDB 2 0", "+OK"),
        ("EXISTS c", ":0"),
    ]);
}

#[test]
fn keys_are_touched_unlinked_and_listed() {
    Server::new().expect(&[
        ("SET a 1", "+OK"),
        ("SET b 2", "+OK"),
        ("TOUCH a b c a", ":3"),
        ("UNLINK a b c", ":2"),
        ("KEYS *", "[]"),
        ("SET key:1 x", "+OK"),
        ("SADD key:2 x", ":1"),
        ("KEYS nope*", "[]"),
        ("SCAN 0 COUNT 100 MATCH *1", "[0 [key:1]]"),
        ("SCAN 0 COUNT 100 TYPE set", "[0 [key:2]]"),
        ("SCAN 0 COUNT 100 TYPE SET", "[0 [key:2]]"),
        ("SCAN 0 COUNT 100 TYPE foo", "[0 []]"),
        ("SCAN 0 COUNT 0", "!ERR syntax error"),
        ("SCAN 0 COUNT x", "!ERR value is not an integer or out of range"),
        ("SCAN 0 COUNT", "!ERR syntax error"),
        ("SCAN 0 FOO 1", "!ERR syntax error"),
        ("SCAN x", "!ERR invalid cursor"),
        ("SCAN 0 MATCH zz* COUNT 1000", "[0 []]"),
        ("DEL key:1", ":1"),
        ("RANDOMKEY", "key:2"),
        ("DEL key:2", ":1"),
        ("RANDOMKEY", "nil"),
        ("DBSIZE", ":0"),
    ]);
}

#[test]
fn expiry_times_are_told() {
    Server::new().expect(&[
        ("SET a 1", "+OK"),
        ("EXPIRETIME a", ":-1"),
        ("PEXPIRETIME a", ":-1"),
        ("EXPIRETIME none", ":-2"),
        ("PEXPIREAT a 33177117420000", ":1"),
        ("EXPIRETIME a", ":33177117420"),
        ("PEXPIRETIME a", ":33177117420000"),
        ("EXPIREAT a 33177117421", ":1"),
        ("PEXPIRETIME a", ":33177117421000"),
        ("PEXPIREAT a 33177117420500", ":1"),
        ("EXPIRETIME a", ":33177117421"),
        ("PEXPIREAT a 33177117420499", ":1"),
        ("EXPIRETIME a", ":33177117420"),
    ]);
}

#[test]
fn object_tells_how_a_value_is_kept() {
    Server::new().expect(&[
            ("SET i 12", "+OK"),
            ("SET e text", "+OK"),
            ("SET r aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "+OK"),
            ("SET n 0012", "+OK"),
            ("RPUSH l 1", ":1"),
            ("SADD s 1 2", ":2"),
            ("SADD t a", ":1"),
            ("HSET h a 1", ":1"),
            ("HSET g a aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ":1"),
            ("OBJECT ENCODING i", "int"),
            ("OBJECT ENCODING e", "embstr"),
            ("OBJECT ENCODING r", "raw"),
            ("OBJECT ENCODING n", "embstr"),
            ("OBJECT ENCODING l", "quicklist"),
            ("OBJECT ENCODING s", "intset"),
            ("OBJECT ENCODING t", "hashtable"),
            ("OBJECT ENCODING h", "listpack"),
            ("OBJECT ENCODING g", "hashtable"),
            ("OBJECT ENCODING none", "nil"),
            ("OBJECT REFCOUNT e", ":1"),
            ("OBJECT REFCOUNT none", "nil"),
            ("OBJECT IDLETIME e", ":0"),
            ("OBJECT FREQ e", "!ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."),
            ("OBJECT FREQ none", "nil"),
            ("OBJECT FOO e", "!ERR unknown subcommand 'FOO'. Try OBJECT HELP."),
            ("OBJECT ENCODING", "!ERR wrong number of arguments for 'object|encoding' command"),
            ("OBJECT", "!ERR wrong number of arguments for 'object' command"),
    ]);
}
