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

#[test]
fn command_tells_what_is_done_with_each_key() {
    Server::new().expect(&[
        ("COMMAND GETKEYSANDFLAGS SET a b", "[[a [+OW +update]]]"),
        ("COMMAND GETKEYSANDFLAGS SET a b GET", "[[a [+RW +access +update]]]"),
        ("COMMAND GETKEYSANDFLAGS EVAL x 1 a", "[[a [+RW +access +update]]]"),
        ("COMMAND GETKEYSANDFLAGS EVAL_RO x 1 a", "[[a [+RO +access]]]"),
        ("COMMAND GETKEYSANDFLAGS EVAL x 0", "[]"),
        ("COMMAND GETKEYSANDFLAGS SORT a STORE b", "[[a [+RO +access]] [b [+OW +update]]]"),
        (
            "COMMAND GETKEYSANDFLAGS LMOVE a b LEFT RIGHT",
            "[[a [+RW +access +delete]] [b [+RW +insert]]]",
        ),
        (
            "COMMAND GETKEYSANDFLAGS ZUNIONSTORE d 2 a b",
            "[[d [+OW +update]] [a [+RO +access]] [b [+RO +access]]]",
        ),
        ("COMMAND GETKEYSANDFLAGS OBJECT ENCODING a", "[[a [+RO]]]"),
        ("COMMAND GETKEYSANDFLAGS WATCH a", "[[a [+RO]]]"),
        ("COMMAND GETKEYSANDFLAGS MEMORY USAGE a", "[[a [+RO]]]"),
        ("COMMAND GETKEYSANDFLAGS MSET a 1 b 2", "[[a [+OW +update]] [b [+OW +update]]]"),
        ("COMMAND GETKEYSANDFLAGS SPUBLISH a b", "!ERR The command has no key arguments"),
        (
            "COMMAND GETKEYSANDFLAGS PING",
            "!ERR wrong number of arguments for 'command|getkeysandflags' command",
        ),
    ]);
}

#[test]
fn there_is_no_cluster() {
    const DISABLED: &str = "!ERR This instance has cluster support disabled";
    Server::new().expect(&[
        ("CLUSTER INFO", DISABLED),
        ("CLUSTER SLOTS", DISABLED),
        ("CLUSTER KEYSLOT a", DISABLED),
        ("CLUSTER HELP", DISABLED),
        ("CLUSTER KEYSLOT", "!ERR wrong number of arguments for 'cluster|keyslot' command"),
        ("CLUSTER", "!ERR wrong number of arguments for 'cluster' command"),
        ("CLUSTER foo", "!ERR unknown subcommand 'foo'. Try CLUSTER HELP."),
        ("READONLY", DISABLED),
        ("READWRITE", DISABLED),
        ("ASKING", DISABLED),
    ]);
}

/// Every command of redis-server 7.0.15, as `COMMAND LIST` tells them.
const OF_REDIS: &str = include_str!("commands_of_redis.txt");

#[test]
fn each_command_of_redis_is_here_or_is_refused_by_name() {
    let mut server = Server::new();
    let ours = server.ask("COMMAND LIST");
    let ours: Vec<&str> = ours.trim_matches(['[', ']']).split(' ').collect();
    for name in OF_REDIS.lines() {
        let answer = server.ask(&name.replace('|', " "));
        let refused = answer.starts_with("!ERR this fake Redis does not have '");
        assert!(ours.contains(&name) != refused, "{name}: {answer}");
    }
    for name in ours {
        assert!(OF_REDIS.lines().any(|theirs| theirs == name), "{name} is no command of Redis");
    }
}

#[test]
fn a_refusal_says_where_the_list_is() {
    let mut server = Server::new();
    for name in ["DUMP", "BITOP", "GEOADD", "PFADD", "FUNCTION", "JSON.GET", "SEARCH.CREATE"] {
        let full = name.to_lowercase();
        let text = format!(
            "!ERR this fake Redis does not have '{full}': what it has not is listed under \
             'Differences from a real server' at https://docs.rs/leasehold-fake-redis"
        );
        assert_eq!(server.ask(&format!("{name} a b")), text);
    }
    let script = server.ask_words(&["EVAL", "return redis.pcall('bitop', 'a').err", "0"]);
    assert!(script.starts_with("ERR this fake Redis does not have 'bitop'"), "{script}");
    let unknown = server.ask("NOSUCH a");
    assert_eq!(unknown, "!ERR unknown command 'NOSUCH', with args beginning with: 'a' ");
}
