//! Sessions that watch streams or wait for them. Replies are those of redis-server 7.0.15.

use crate::sessions_support::Talk;

#[test]
fn a_watched_stream_changes_with_its_entries_not_with_its_groups() {
    for (line, reply, touches) in [
        ("XADD x 2-1 f v", "2-1", true),
        ("XDEL x 1-1", ":1", true),
        ("XTRIM x MAXLEN 0", ":1", true),
        ("XSETID x 5", "+OK", false),
        ("XGROUP CREATE x g2 $", "+OK", false),
        ("XGROUP SETID x g $", "+OK", false),
        ("XGROUP CREATECONSUMER x g c", ":1", false),
        ("XGROUP DESTROY x g", ":1", false),
        ("XREADGROUP GROUP g c STREAMS x >", "{x=[[1-1 [f v]]]}", false),
    ] {
        let mut talk = Talk::new();
        talk.ask('a', "XADD x 1-1 f v");
        talk.ask('a', "XGROUP CREATE x g 0");
        let executed = if touches { "nil-array" } else { "[:1]" };
        talk.ask('a', "WATCH x");
        assert_eq!(talk.ask('b', line), reply);
        talk.expect(&[
            ('a', "MULTI", "+OK"),
            ('a', "EXISTS x", "+QUEUED"),
            ('a', "EXEC", executed),
        ]);
    }
}

#[test]
fn who_waits_in_a_group_learns_that_it_or_the_stream_has_gone() {
    let (gone, no_group) = (
        "!UNBLOCKED the stream key no longer exists",
        "!NOGROUP the consumer group this client was blocked on no longer exists",
    );
    for (line, reply, told) in [
        ("DEL x", ":1", gone),
        ("SET x v", "+OK", gone),
        ("FLUSHALL", "+OK", gone),
        ("XGROUP DESTROY x g", ":1", no_group),
    ] {
        let mut talk = Talk::new();
        talk.ask('a', "XGROUP CREATE x g $ MKSTREAM");
        assert_eq!(talk.ask('a', "XREADGROUP GROUP g c BLOCK 0 STREAMS x >"), "waits");
        // It is nothing to those who wait without a group.
        assert_eq!(talk.ask('c', "XREAD BLOCK 0 STREAMS x $"), "waits");
        assert_eq!(talk.ask('b', line), format!("{reply} | a!: {told}"), "{line}");
    }
}

#[test]
fn a_stream_that_expires_ends_the_wait_of_a_group() {
    let mut talk = Talk::new();
    talk.ask('a', "XGROUP CREATE x g $ MKSTREAM");
    talk.ask('a', "PEXPIRE x 10");
    assert_eq!(talk.ask('a', "XREADGROUP GROUP g c BLOCK 0 STREAMS x >"), "waits");
    assert_eq!(talk.after(10), "");
    assert_eq!(talk.after(1), "a!: !UNBLOCKED the stream key no longer exists");
}

#[test]
fn of_several_keys_the_one_that_came_first_is_taken() {
    Talk::new().expect(&[
        ('a', "BLPOP l1 l2 0", "waits"),
        ('b', "MULTI", "+OK"),
        ('b', "RPUSH l2 two", "+QUEUED"),
        ('b', "RPUSH l1 one", "+QUEUED"),
        ('b', "RPUSH l2 more", "+QUEUED"),
        ('b', "EXEC", "[:1 :1 :2] | a!: [l2 two]"),
    ]);
}

#[test]
fn a_key_that_is_overwritten_is_not_taken_from() {
    Talk::new().expect(&[
        ('a', "BZPOPMIN z 0", "waits"),
        ('b', "SADD z m", ":1"),
        ('b', "ZUNIONSTORE z 1 z", ":1"),
        ('b', "RENAME z other", "+OK"),
        ('b', "RENAME other z", "+OK | a!: [z m 1]"),
    ]);
}

#[test]
fn an_entry_that_is_gone_again_still_ends_a_wait() {
    let mut talk = Talk::new();
    assert_eq!(talk.ask('a', "XREAD BLOCK 0 STREAMS x $"), "waits");
    assert_eq!(talk.ask('b', "XADD x MAXLEN 0 1-1 f v"), "1-1 | a!: {x=[]}");
}

#[test]
fn a_script_may_not_wait() {
    let script = "EVAL return{pcall(redis.call,'xread','block','0','streams','x','$')} 0";
    let told = Talk::new().ask('a', script);
    assert!(told.contains("xread command is not allowed with BLOCK option from scripts"), "{told}");
}
