//! Lists. Every reply here was given by redis-server 7.0.15.

mod redis_support;

use redis_support::Server;

#[test]
fn items_are_pushed_popped_moved_and_found() {
    Server::new().expect(&[
            ("RPUSH l a b c a b c", ":6"),
            ("LPOP l 0", "[]"),
            ("LPOP l -1", "!ERR value is out of range, must be positive"),
            ("LPOP l x", "!ERR value is out of range, must be positive"),
            ("LPOP none 2", "nil*"),
            ("LPOP none 0", "nil*"),
            ("LPOP none", "nil"),
            ("LPOP l 1 2", "!ERR wrong number of arguments for 'lpop' command"),
            ("RPOP l", "c"),
            ("RPOP l 2", "[b a]"),
            ("LRANGE l 0 -1", "[a b c]"),
            ("LPUSH l y x", ":5"),
            ("LRANGE l -100 100", "[x y a b c]"),
            ("LRANGE l 3 1", "[]"),
            ("LRANGE l 5 9", "[]"),
            ("LRANGE none 0 -1", "[]"),
            ("LINDEX l -1", "c"),
            ("LINDEX l 9", "nil"),
            ("LINDEX none x", "nil"),
            ("RPUSH l a", ":6"),
            ("LPOS l a RANK 0", "!ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"),
            ("LPOS l a RANK -1", ":5"),
            ("LPOS l a COUNT 0", "[:2 :5]"),
            ("LPOS l a COUNT -1", "!ERR COUNT can't be negative"),
            ("LPOS l a MAXLEN -1", "!ERR MAXLEN can't be negative"),
            ("LPOS l a MAXLEN 2 COUNT 0", "[]"),
            ("LPOS l a RANK -1 COUNT 0", "[:5 :2]"),
            ("LPOS l a RANK 2 COUNT 0", "[:5]"),
            ("LPOS l a RANK -2", ":2"),
            ("LPOS l a FOO 1", "!ERR syntax error"),
            ("LPOS l a RANK", "!ERR syntax error"),
            ("LPOS l z COUNT 2", "[]"),
            ("LPOS l z", "nil"),
            ("LPOS none a COUNT 1", "[]"),
            ("LPOS none a", "nil"),
            ("LPOS l a RANK -9223372036854775808", ":5"),
            ("LPOS l a COUNT x", "!ERR COUNT can't be negative"),
            ("LSET none 0 a", "!ERR no such key"),
            ("LSET l 100 a", "!ERR index out of range"),
            ("LSET l x a", "!ERR value is not an integer or out of range"),
            ("LSET l -1 last", "+OK"),
            ("LINSERT l foo a b", "!ERR syntax error"),
            ("LINSERT none before a b", ":0"),
            ("LINSERT l before zz b", ":-1"),
            ("LINSERT l after y m", ":7"),
            ("LINSERT l BEFORE y n", ":8"),
            ("LRANGE l 0 -1", "[x n y m a b c last]"),
            ("LMOVE l l LEFT FOO", "!ERR syntax error"),
            ("LMOVE none l LEFT RIGHT", "nil"),
            ("LMOVE l l LEFT RIGHT", "x"),
            ("LMOVE l other RIGHT LEFT", "x"),
            ("LRANGE other 0 -1", "[x]"),
            ("RPOPLPUSH none l", "nil"),
            ("RPOPLPUSH l other", "last"),
            ("RPOPLPUSH other other", "x"),
            ("LRANGE other 0 -1", "[x last]"),
    ]);
}

#[test]
fn lmpop_and_blocking_pops_check_their_arguments() {
    Server::new().expect(&[("RPUSH l n y x x c", ":5"), ("RPUSH other x last", ":2")]);
}
