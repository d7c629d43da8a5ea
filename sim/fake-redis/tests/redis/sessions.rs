//! Sessions: what a connection is, says and listens to. Replies are those of redis-server 7.0.15.

use crate::sessions_support::Talk;
use leasehold_fake_redis::{Password, Server, Settings};

const LISTENING: &str =
    "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";

#[test]
fn a_password_opens_what_it_guards() {
    let mut talk = Talk::with(Settings::default().password(Password::new("secret")));
    let wrong = "!WRONGPASS invalid username-password pair or user is disabled.";
    talk.expect(&[
        ('a', "GET x", "!NOAUTH Authentication required."),
        ('a', "FOO", "!ERR unknown command 'FOO', with args beginning with: "),
        ('a', "GET", "!ERR wrong number of arguments for 'get' command"),
        ('a', "AUTH guess", wrong),
        ('a', "AUTH secre", wrong),
        ('a', "AUTH somebody secret", wrong),
        ('a', "AUTH a b c", "!ERR syntax error"),
        ('a', "HELLO 4", "!NOPROTO unsupported protocol version"),
        ('a', "HELLO x", "!ERR Protocol version is not an integer or out of range"),
        ('a', "HELLO 3 AUTH default guess", wrong),
        ('a', "AUTH default secret", "+OK"),
        ('a', "GET x", "nil"),
        ('a', "RESET", "+RESET"),
        ('a', "GET x", "!NOAUTH Authentication required."),
        ('a', "AUTH secret", "+OK"),
        ('a', "HELLO 2 SETNAME me FOO", "!ERR Syntax error in HELLO option 'FOO'"),
    ]);
    let hello = "HELLO 3 AUTH default secret SETNAME me";
    let introduction =
        "{server=redis version=7.0.15 proto=:3 id=:2 mode=standalone role=master modules=[]}";
    assert_eq!(talk.ask('b', hello), introduction);
    assert_eq!(talk.ask('b', "CLIENT GETNAME"), "me");
}

#[test]
fn without_a_password_only_the_user_default_comes_in() {
    Talk::new().expect(&[
            (
                'a',
                "AUTH x",
                "!ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
            ),
            ('a', "AUTH default x", "+OK"),
            ('a', "AUTH foo x", "!WRONGPASS invalid username-password pair or user is disabled."),
    ]);
}

#[test]
fn each_session_has_its_own_database() {
    Talk::new().expect(&[
        ('a', "SELECT 16", "!ERR DB index is out of range"),
        ('a', "SELECT -1", "!ERR DB index is out of range"),
        ('a', "SELECT x", "!ERR value is not an integer or out of range"),
        ('a', "SELECT 15", "+OK"),
        ('a', "SET x 1", "+OK"),
        ('b', "GET x", "nil"),
        ('b', "SELECT 15", "+OK"),
        ('b', "GET x", "1"),
        ('a', "RESET", "+RESET"),
        ('a', "GET x", "nil"),
    ]);
}

#[test]
fn who_listens_in_resp2_may_do_little_else() {
    let refused = format!("!ERR Can't execute 'get': {LISTENING}");
    let refused_id = format!("!ERR Can't execute 'client|id': {LISTENING}");
    Talk::new().expect(&[
        ('a', "SUBSCRIBE x y x", ">[subscribe x :1] >[subscribe y :2] >[subscribe x :2]"),
        ('a', "GET x", &refused),
        ('a', "CLIENT ID", &refused_id),
        ('a', "PING", ">[pong ]"),
        ('a', "PING hi", ">[pong hi]"),
        ('a', "PSUBSCRIBE n*", ">[psubscribe n* :3]"),
        ('b', "PUBLISH x hello", ":1 | a: >[message x hello]"),
        ('b', "PUBLISH news hello", ":1 | a: >[pmessage n* news hello]"),
        ('b', "PUBSUB CHANNELS", "[x y]"),
        ('b', "PUBSUB NUMSUB x z", "[x :1 z :0]"),
        ('b', "PUBSUB NUMPAT", ":1"),
        ('a', "UNSUBSCRIBE", ">[unsubscribe x :2] >[unsubscribe y :1]"),
        ('a', "PUNSUBSCRIBE n*", ">[punsubscribe n* :0]"),
        ('a', "PING", "+PONG"),
        ('a', "UNSUBSCRIBE", ">[unsubscribe nil :0]"),
    ]);
}

#[test]
fn who_listens_in_resp3_may_do_all_and_hears_itself_first() {
    let mut talk = Talk::new();
    talk.ask('a', "HELLO 3");
    talk.expect(&[
        ('a', "SUBSCRIBE x", ">[subscribe x :1]"),
        ('a', "GET x", "nil"),
        ('a', "PUBLISH x hello", ">[message x hello] :1"),
        ('a', "PING", "+PONG"),
    ]);
}

#[test]
fn a_monitor_sees_every_command_but_no_password() {
    Talk::new().expect(&[
        ('b', "MONITOR", "+OK"),
        ('a', "SET x \"", "+OK | b: +1700000000.000000 [0 10.0.0.1:1001] \"SET\" \"x\" \"\\\"\""),
        (
            'a',
            "AUTH default x",
            "+OK | b: +1700000000.000000 [0 10.0.0.1:1001] \"AUTH\" \"(redacted)\" \"(redacted)\"",
        ),
        ('a', "CONFIG GET port", "{port=6379}"),
        ('b', "RESET", "+RESET"),
        ('a', "GET x", "\""),
    ]);
}

#[test]
fn a_monitor_of_more_than_can_be_kept_is_sent_away() {
    let mut talk = Talk::new();
    let script = |times: usize| {
        format!("for\ti=1,{times}\tdo\tredis.call('ECHO',string.rep('x',100000))end")
    };
    assert_eq!(talk.ask('b', "MONITOR"), "+OK");
    talk.ask('a', &format!("EVAL {} 0", script(100)));
    assert_eq!(talk.server.take_closed(), []);
    talk.ask('a', &format!("EVAL {} 0", script(200)));
    let closed = talk.server.take_closed();
    assert_eq!(closed.len(), 1);
    talk.server.disconnect(closed[0]);
    assert_eq!(talk.ask('a', "PING"), "+PONG");
}

#[test]
fn a_client_may_want_no_replies() {
    Talk::new().expect(&[
        ('a', "CLIENT REPLY FOO", "!ERR syntax error"),
        ('a', "CLIENT REPLY SKIP", ""),
        ('a', "PING", ""),
        ('a', "PING", "+PONG"),
        ('a', "CLIENT REPLY OFF", ""),
        ('a', "SET x 1", ""),
        ('a', "CLIENT REPLY ON", "+OK"),
        ('a', "GET x", "1"),
    ]);
}

#[test]
fn clients_are_listed_named_and_ended() {
    let mut talk = Talk::new();
    talk.expect(&[
        ('a', "CLIENT ID", ":1"),
        ('a', "CLIENT GETNAME", "nil"),
        ('a', "CLIENT SETNAME me", "+OK"),
        ('a', "CLIENT SETINFO LIB-NAME x", "!ERR unknown subcommand 'SETINFO'. Try CLIENT HELP."),
        ('a', "CLIENT LIST ID 9", ""),
        ('a', "CLIENT LIST TYPE x", "!ERR Unknown client type 'x'"),
        ('a', "CLIENT KILL 1.1.1.1:1", "!ERR No such client"),
        ('a', "CLIENT KILL ID 0", "!ERR client-id should be greater than 0"),
        ('a', "CLIENT KILL ID 2", ":1"),
        ('a', "CLIENT KILL ADDR 10.0.0.3:1003", ":1"),
        ('b', "PING", ""),
    ]);
    assert!(
        talk.ask('a', "CLIENT INFO").starts_with("id=1 addr=10.0.0.1:1001 laddr=127.0.0.1:6379 ")
    );
    assert!(talk.ask('a', "CLIENT LIST").contains(" name=me age=0 idle=0 flags=N db=0 "));
    let ended = talk.server.take_closed();
    assert_eq!(ended.iter().map(|id| id.number()).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn programs_find_what_they_ask_for_at_their_start() {
    let mut talk = Talk::new();
    talk.expect(&[
            ('a', "ROLE", "[master :0 []]"),
            ('a', "WAIT 0 0", ":0"),
            ('a', "CONFIG GET maxmemory*policy", "{maxmemory-policy=noeviction}"),
            ('a', "CONFIG SET maxmemory 100mb", "+OK"),
            ('a', "CONFIG GET MaxMemory", "{MaxMemory=104857600}"),
            (
                'a',
                "CONFIG SET databases 3",
                "!ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config",
            ),
            (
                'a',
                "CONFIG SET foo 3",
                "!ERR Unknown option or number of arguments for CONFIG SET - 'foo'",
            ),
            ('a', "ACL WHOAMI", "default"),
            ('a', "SLOWLOG GET", "[]"),
            ('a', "LATENCY LATEST", "[]"),
            ('a', "MEMORY USAGE none", "nil"),
            ('a', "REPLICAOF 1.2.3.4 x", "!ERR Invalid master port"),
            ('a', "SET x 1", "+OK"),
    ]);
    let info = talk.ask('a', "INFO");
    for line in [
        "redis_version:7.0.15", "loading:0", "role:master", "cluster_enabled:0",
        "db0:keys=1,expires=0",
    ] {
        assert!(info.contains(line), "{line} in {info}");
    }
    let one = talk.ask('a', "INFO replication");
    assert!(one.starts_with("# Replication\r\n") && !one.contains("# Server"));
}

#[test]
fn a_browser_that_was_tricked_is_cut_off() {
    let mut talk = Talk::new();
    talk.expect(&[('a', "POST / HTTP/1.1", ""), ('b', "Host: x", "")]);
    assert_eq!(talk.server.take_closed().len(), 2);
}

#[test]
fn a_session_that_is_gone_is_told_nothing() {
    let mut server = Server::default();
    let id = server.connect();
    server.disconnect(id);
    let executed = server.execute(0, id, &["PING".into()]);
    assert_eq!(executed, leasehold_fake_redis::Executed::Replies(Vec::new()));
}

#[test]
fn equal_servers_given_equal_commands_stay_equal() {
    let lines = [
        ('a', "MULTI"),
        ('b', "SUBSCRIBE x"),
        ('a', "PUBLISH x hello"),
        ('c', "BLPOP jobs 1"),
        ('a', "RPUSH jobs one"),
        ('a', "EXEC"),
        ('c', "WATCH jobs"),
        ('a', "CLIENT PAUSE 10"),
        ('c', "CLIENT LIST"),
    ];
    let (mut left, mut right) = (Talk::new(), Talk::new());
    for (speaker, line) in lines {
        assert_eq!(left.ask(speaker, line), right.ask(speaker, line), "{line}");
        assert!(left.server == right.server, "{line}");
    }
    left.ask('a', "CLIENT SETNAME other");
    assert!(left.server != right.server, "one of them waits for the end of the pause");
}

#[test]
fn a_transaction_that_grows_without_end_ends_its_session() {
    let mut server = Server::default();
    let id = server.connect();
    server.execute(0, id, &["MULTI".into()]);
    // The copies share one text, so that the test takes little memory.
    let set = ["SET".into(), "key".into(), "x".repeat(64 << 20).into()];
    let is_queued = |server: &mut Server| {
        let queued = leasehold_fake_redis::Resp::Simple("QUEUED".into());
        server.execute(0, id, &set) == leasehold_fake_redis::Executed::Replies(vec![queued])
    };
    for _ in 0..15 {
        assert!(is_queued(&mut server) && server.take_closed().is_empty());
    }
    assert!(!is_queued(&mut server));
    assert_eq!(server.take_closed(), [id]);
}
