//! Users and their rights. Every reply was given by redis-server 7.0.15, but where it says so.

use leasehold_fake_redis::{Password, Settings};

use crate::sessions_support::Talk;

const KEYS: &str =
    "!NOPERM this user has no permissions to access one of the keys used as arguments";
const CHANNELS: &str =
    "!NOPERM this user has no permissions to access one of the channels used as arguments";

fn denied(name: &str) -> String {
    format!("!NOPERM this user has no permissions to run the '{name}' command")
}

/// A server whose second session is the user bob.
fn with_bob(rules: &str) -> Talk {
    let mut talk = Talk::new();
    assert_eq!(talk.ask('a', &format!("ACL SETUSER bob on >pw {rules}")), "+OK");
    assert_eq!(talk.ask('b', "AUTH bob pw"), "+OK");
    assert_eq!(talk.ask('b', "ACL WHOAMI"), denied("acl|whoami"));
    talk
}

#[test]
fn a_user_may_do_what_the_rules_say() {
    let mut talk =
        with_bob("~job:* %R~r:* %W~w:* &ch* +@read +set -get +client|id +config|get (+del ~x)");
    for (line, reply) in [
        ("SET job:1 x", "+OK"),
        ("SET r:1 x", KEYS),
        ("GET job:1", &denied("get")),
        ("MGET r:1", "[nil]"),
        ("MGET w:1", KEYS),
        ("SET w:1 v", "+OK"),
        ("SET w:1 v GET", KEYS),
        ("DEL x", ":0"),
        ("DEL y", KEYS),
        ("CLIENT LIST", &denied("client|list")),
        ("CLIENT ID", ":2"),
        ("PUBLISH ch1 x", &denied("publish")),
        ("SUBSCRIBE ch1", &denied("subscribe")),
        ("EVAL x 0", &denied("eval")),
        ("CONFIG GET port", "{port=6379}"),
        ("CONFIG SET port 1", &denied("config|set")),
        ("EXISTS w:1", ":1"),
    ] {
        assert_eq!(talk.ask('b', line), reply, "{line}");
    }
}

#[test]
fn a_dry_run_says_the_same() {
    let mut talk = Talk::new();
    talk.ask('a', "ACL SETUSER bob ~job:* &ch* +@read +set +publish -get");
    talk.expect(&[
        ('a', "ACL DRYRUN bob SET job:1 x", "+OK"),
        ('a', "ACL DRYRUN bob SET r:1 x", "This user has no permissions to access the 'r:1' key"),
        ('a', "ACL DRYRUN bob GET job:1", "This user has no permissions to run the 'get' command"),
        (
            'a',
            "ACL DRYRUN bob CLIENT LIST",
            "This user has no permissions to run the 'client|list' command",
        ),
        (
            'a',
            "ACL DRYRUN bob PUBLISH zz x",
            "This user has no permissions to access the 'zz' channel",
        ),
        ('a', "ACL DRYRUN bob foo", "!ERR Command 'foo' not found"),
        ('a', "ACL DRYRUN bob GET", "!ERR wrong number of arguments for 'get' command"),
        ('a', "ACL DRYRUN zz GET", "!ERR User 'zz' not found"),
    ]);
}

#[test]
fn channels_are_allowed_by_patterns_and_patterns_by_themselves() {
    let mut talk = with_bob("&ch* +subscribe +psubscribe +publish +unsubscribe +punsubscribe");
    talk.expect(&[
        ('b', "PUBLISH other x", CHANNELS),
        ('b', "PUBLISH ch1 x", ":0"),
        ('b', "SUBSCRIBE ch1 other", CHANNELS),
        ('b', "PSUBSCRIBE ch1*", CHANNELS),
        ('b', "PSUBSCRIBE ch*", ">[psubscribe ch* :1]"),
    ]);
}

#[test]
fn a_script_may_do_what_its_user_may() {
    let mut talk = with_bob("~job:* &ch* +eval +set +publish");
    for (script, reply) in [
        ("return redis.call('set', 'job:1', 'x')", "+OK"),
        (
            "return redis.pcall('get', 'job:1').err",
            "ERR The user executing the script can't run this command or subcommand",
        ),
        (
            "return redis.pcall('set', 'q', 'x').err",
            "ERR The user executing the script can't access at least one of the keys mentioned in \
             the command arguments",
        ),
        (
            "return redis.pcall('publish', 'q', 'x').err",
            "ERR The user executing the script can't publish to the channel mentioned in the \
             command",
        ),
        ("return redis.acl_check_cmd('get', 'job:1') == false", ":1"),
        ("return redis.acl_check_cmd('set', 'job:1', 'x')", ":1"),
    ] {
        assert_eq!(talk.ask_words('b', &["EVAL", script, "0"]), reply, "{script}");
    }
    let log = talk.ask('a', "ACL LOG 1");
    assert!(
        log.starts_with("[{count=:1 reason=channel context=lua object=q username=bob"),
        "{log}"
    );
}

#[test]
fn wrong_words_are_refused_with_the_reason() {
    let mut talk = Talk::new();
    for (word, why) in [
        ("nope", "Syntax error"),
        ("+foo", "Unknown command or category name in ACL"),
        ("+@foo", "Unknown command or category name in ACL"),
        ("%Q~x", "Syntax error"),
        (
            "#12",
            "The password hash must be exactly 64 characters and contain only lowercase \
             hexadecimal characters",
        ),
        ("+config|foo", "Unknown command or category name in ACL"),
        ("-get|x", "Unknown command or category name in ACL"),
        ("+config|get|x", "Allowing first-arg of a subcommand is not supported"),
    ] {
        let expected = format!("!ERR Error in ACL SETUSER modifier '{word}': {why}");
        assert_eq!(talk.ask('a', &format!("ACL SETUSER tmp {word}")), expected);
    }
    talk.expect(&[
        (
            'a',
            "ACL SETUSER tmp (+get",
            "!ERR Unmatched parenthesis in acl selector starting at '(+get'.",
        ),
        ('a', "ACL USERS", "[default]"),
        ('a', "ACL DELUSER default", "!ERR The 'default' user cannot be removed"),
        ('a', "ACL GETUSER zz", "nil-array"),
        ('a', "ACL CAT foo", "!ERR Unknown category 'foo'"),
        (
            'a',
            "ACL CAT",
            "[keyspace read write set sortedset list hash string bitmap hyperloglog geo stream \
                 pubsub admin fast slow blocking dangerous connection transaction scripting]",
        ),
        ('a', "ACL FOO", "!ERR unknown subcommand 'FOO'. Try ACL HELP."),
    ]);
    // Redis repeats the password that is not known.
    let answer = talk.ask('a', "ACL SETUSER tmp <secret");
    assert!(answer.contains("does not exist") && !answer.contains("secret"), "{answer}");
}

#[test]
fn users_are_told_with_hashes_of_their_passwords() {
    let mut talk = Talk::with(Settings::default().password(Password::new("pw")));
    talk.ask('a', "AUTH pw");
    talk.ask('a', "ACL SETUSER bob on >pw ~job:* %R~r:* &ch* +@read +set -get (+del ~x)");
    talk.ask('a', "ACL SETUSER none");
    const HASH: &str = "30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4";
    let list = talk.ask('a', "ACL LIST");
    assert_eq!(
        list,
        format!(
            "[user bob on #{HASH} ~job:* %R~r:* resetchannels &ch* -@all +@read +set -get (~x \
             resetchannels -@all +del) user default on #{HASH} ~* &* +@all user none off \
             resetchannels -@all]"
        )
    );
    assert_eq!(
        talk.ask('a', "ACL GETUSER bob"),
        format!(
            "{{flags=[on] passwords=[{HASH}] commands=-@all +@read +set -get keys=~job:* %R~r:* \
             channels=&ch* selectors=[{{commands=-@all +del keys=~x channels=}}]}}"
        )
        .replace("[on]", "[on]"),
    );
    assert!(!format!("{:?}", talk.server).contains("30c952"), "Debug tells no secret");
}

#[test]
fn who_comes_in_and_who_is_sent_away() {
    let mut talk = Talk::new();
    let wrong = "!WRONGPASS invalid username-password pair or user is disabled.";
    talk.expect(&[
        ('b', "AUTH bob pw", wrong),
        ('a', "ACL SETUSER bob >pw +@all ~*", "+OK"),
        ('b', "AUTH bob pw", wrong),
        ('a', "ACL SETUSER bob on", "+OK"),
        ('b', "AUTH bob bad", wrong),
        ('b', "AUTH bob pw", "+OK"),
        ('b', "ACL WHOAMI", "bob"),
        ('b', "RESET", "+RESET"),
        ('b', "ACL WHOAMI", "default"),
        ('b', "AUTH bob pw", "+OK"),
    ]);
    assert_eq!(talk.ask('a', "ACL DELUSER bob nobody"), ":1");
    assert_eq!(talk.server.take_closed().len(), 1);
    let log = talk.ask('a', "ACL LOG");
    assert!(log.contains("reason=auth context=toplevel object=AUTH username=bob"), "{log}");
    assert_eq!(talk.ask('a', "ACL LOG RESET"), "+OK");
    assert_eq!(talk.ask('a', "ACL LOG"), "[]");
}

#[test]
fn rights_are_looked_at_when_a_command_is_queued_and_when_it_runs() {
    let mut talk = with_bob("~* +@all -acl");
    talk.expect(&[
        ('b', "MULTI", "+OK"),
        ('b', "SET a b", "+QUEUED"),
        ('b', "INCR n", "+QUEUED"),
        ('a', "ACL SETUSER bob -incr", "+OK"),
    ]);
    assert_eq!(talk.ask('b', "EXEC"), format!("[+OK {}]", denied("incr")));
    talk.ask('b', "MULTI");
    assert_eq!(talk.ask('b', "INCR n"), denied("incr"));
    let aborted = "!EXECABORT Transaction discarded because of previous errors.";
    assert_eq!(talk.ask('b', "EXEC"), aborted);
}

#[test]
fn the_default_user_may_be_limited_too() {
    let mut talk = Talk::new();
    talk.ask('b', "SUBSCRIBE news");
    assert_eq!(talk.ask('a', "ACL SETUSER default resetchannels -eval"), "+OK");
    assert_eq!(talk.server.take_closed().len(), 1, "the listener is sent away");
    assert_eq!(talk.ask('a', "EVAL x 0"), denied("eval"));
    talk.ask('a', "CONFIG SET requirepass new");
    talk.ask('a', "RESET");
    assert_eq!(talk.ask('a', "PING"), "!NOAUTH Authentication required.");
    assert_eq!(talk.ask('a', "AUTH new"), "+OK");
    assert_eq!(talk.ask('a', "EVAL x 0"), denied("eval"));
}

#[test]
fn the_sessions_of_a_user_are_told_and_ended_by_its_name() {
    let mut talk = with_bob("+ping");
    let list = talk.ask('a', "CLIENT LIST ID 2");
    assert!(list.contains(" user=bob "), "{list}");
    assert_eq!(talk.ask('a', "CLIENT KILL USER nobody"), "!ERR No such user 'nobody'");
    assert_eq!(talk.ask('a', "CLIENT KILL USER bob"), ":1");
    assert_eq!(talk.server.take_closed().len(), 1);
}
