//! What the server tells of its commands and listeners. Every reply here was given by redis-server 7.0.15.

use crate::redis_support::Server;

#[test]
fn command_tells_of_rows_and_keys() {
    Server::new().expect(&[
            ("COMMAND GETKEYS SET a b", "[a]"),
            ("COMMAND GETKEYS MSET a 1 b 2", "[a b]"),
            ("COMMAND GETKEYS ZUNIONSTORE d 2 a b", "[d a b]"),
            ("COMMAND GETKEYS XREAD COUNT 2 STREAMS a b 0 0", "[a b]"),
            ("COMMAND GETKEYS EVAL x 2 a b c", "[a b]"),
            ("COMMAND GETKEYS EVAL x 0", "[]"),
            ("COMMAND GETKEYS PING x", "!ERR The command has no key arguments"),
            ("COMMAND GETKEYS FOO x", "!ERR Invalid command specified"),
            ("COMMAND GETKEYS GET a b", "!ERR Invalid number of arguments specified for command"),
            ("COMMAND GETKEYS OBJECT ENCODING a", "[a]"),
            ("COMMAND GETKEYS LMPOP 2 a b LEFT", "[a b]"),
            ("COMMAND GETKEYS BLPOP a b 0", "[a b]"),
            ("COMMAND GETKEYS", "!ERR wrong number of arguments for 'command|getkeys' command"),
            ("COMMAND GETKEYS SPUBLISH a b", "!ERR The command has no key arguments"),
            ("COMMAND GETKEYS SORT a GET store STORE b", "[a b]"),
            ("COMMAND INFO foo", "[nil]"),
            ("COMMAND INFO llen", "[[llen :2 [+readonly +fast] :1 :1 :1 [+@read +@list +@fast] [] [[flags [+RO] begin_search [type index spec [index :1]] find_keys [type range spec [lastkey :0 keystep :1 limit :0]]]] []]]"),
            ("COMMAND LIST FILTERBY foo bar", "!ERR syntax error"),
            ("COMMAND LIST foo", "!ERR syntax error"),
            ("COMMAND LIST FILTERBY MODULE x", "[]"),
            ("COMMAND LIST FILTERBY PATTERN expire*", "[expire expireat expiretime]"),
            ("COMMAND DOCS foo", "[]"),
            ("COMMAND COUNT x", "!ERR wrong number of arguments for 'command|count' command"),
            ("COMMAND FOO", "!ERR unknown subcommand 'FOO'. Try COMMAND HELP."),
            ("PUBSUB CHANNELS", "[]"),
            ("PUBSUB NUMSUB a b", "[a :0 b :0]"),
            ("PUBSUB NUMPAT", ":0"),
            ("PUBSUB SHARDCHANNELS", "[]"),
            ("PUBSUB SHARDNUMSUB a b", "[a :0 b :0]"),
            ("PUBSUB SHARDNUMSUB", "[]"),
            ("PUBSUB FOO", "!ERR unknown subcommand 'FOO'. Try PUBSUB HELP."),
            ("PUBSUB CHANNELS a b", "!ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP."),
    ]);
}

/// Those that `redis.rs` lists.
#[test]
fn a_command_that_is_not_there_is_unknown() {
    for name in ["DUMP", "BITOP", "BITFIELD", "GEOADD", "PFADD", "FUNCTION", "FCALL", "FCALL_RO"] {
        let text = format!("!ERR unknown command '{name}', with args beginning with: 'a' 'b' ");
        assert_eq!(Server::new().ask(&format!("{name} a b")), text);
    }
}
