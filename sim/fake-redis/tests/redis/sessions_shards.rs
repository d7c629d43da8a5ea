//! Shard channels, as one server without a cluster has them. Replies are those of redis-server 7.0.15.

use crate::sessions_support::Talk;

#[test]
fn shard_channels_are_apart_from_the_others() {
    Talk::new().expect(&[
        ('a', "SSUBSCRIBE news chat", ">[ssubscribe news :1] >[ssubscribe chat :2]"),
        ('a', "SUBSCRIBE news", ">[subscribe news :1]"),
        ('b', "SPUBLISH news hello", ":1 | a: >[smessage news hello]"),
        ('b', "PUBLISH news hello", ":1 | a: >[message news hello]"),
        ('b', "PUBSUB CHANNELS", "[news]"),
        ('b', "PUBSUB SHARDCHANNELS", "[chat news]"),
        ('b', "PUBSUB SHARDCHANNELS n*", "[news]"),
        ('b', "PUBSUB SHARDNUMSUB news other", "[news :1 other :0]"),
        ('b', "PSUBSCRIBE *", ">[psubscribe * :1]"),
        ('c', "SPUBLISH news again", ":1 | a: >[smessage news again]"),
        ('a', "SUNSUBSCRIBE news", ">[sunsubscribe news :1]"),
        ('c', "SPUBLISH news late", ":0"),
        ('a', "SUNSUBSCRIBE", ">[sunsubscribe chat :0]"),
        ('a', "SUNSUBSCRIBE", ">[sunsubscribe nil :0]"),
        ('a', "UNSUBSCRIBE", ">[unsubscribe news :0]"),
        ('a', "GET a", "nil"),
    ]);
}

#[test]
fn who_listens_to_a_shard_channel_may_do_little_else_until_a_reset() {
    let refusal = "!ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT \
                   / RESET are allowed in this context";
    Talk::new().expect(&[
        ('a', "SSUBSCRIBE news", ">[ssubscribe news :1]"),
        ('a', "GET a", refusal),
        ('a', "COMMAND", &refusal.replace("get", "command")),
        ('a', "PING", ">[pong ]"),
        ('a', "RESET", "+RESET"),
        ('b', "SPUBLISH news hello", ":0"),
        ('a', "GET a", "nil"),
    ]);
}

#[test]
fn nobody_begins_to_listen_to_a_shard_channel_in_a_transaction() {
    let refusal = "[!ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client]";
    Talk::new().expect(&[
        ('a', "MULTI", "+OK"),
        ('a', "SSUBSCRIBE news", "+QUEUED"),
        ('a', "EXEC", refusal),
        ('b', "SPUBLISH news hello", ":0"),
    ]);
}
