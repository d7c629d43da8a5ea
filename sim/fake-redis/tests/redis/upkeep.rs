//! What a server counts and notes, and what `DEBUG` does. Replies as of redis-server 7.0.15.

use crate::sessions_support::Talk;

fn line(talk: &mut Talk, section: &str, begin: &str) -> Option<String> {
    let info = talk.ask('a', &format!("INFO {section}"));
    info.lines().find_map(|line| line.strip_prefix(begin)).map(str::to_owned)
}

#[test]
fn commands_and_errors_are_counted_also_those_of_scripts() {
    let mut talk = Talk::new();
    for words in [
        &["SET", "a", "5"][..],
        &["LPUSH", "a", "x"],
        &["FOO"],
        &["GET"],
        &["EVAL", "return redis.pcall('lpush', 'a', 'x')", "0"],
        &["EVAL", "redis.call('get', 'a') return 1", "0"],
        &["CONFIG", "SET", "maxmemory", "0"],
    ] {
        talk.ask_words('a', words);
    }
    for (command, counts) in [
        ("set", "calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0"),
        ("lpush", "calls=2,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=2"),
        ("get", "calls=1,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0"),
        ("eval", "calls=2,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=1"),
        ("config|set", "calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0"),
    ] {
        let told = line(&mut talk, "commandstats", &format!("cmdstat_{command}:"));
        assert_eq!(told.as_deref(), Some(counts), "{command}");
    }
    assert_eq!(line(&mut talk, "errorstats", "errorstat_ERR:").as_deref(), Some("count=2"));
    assert_eq!(line(&mut talk, "errorstats", "errorstat_WRONGTYPE:").as_deref(), Some("count=2"));
    assert_eq!(talk.ask('a', "CONFIG RESETSTAT"), "+OK");
    assert_eq!(line(&mut talk, "errorstats", "errorstat_ERR:"), None);
}

#[test]
fn hits_misses_and_expired_keys_are_counted() {
    let mut talk = Talk::new();
    for command in
        ["SET a 1 PX 5", "GET a", "MGET a b", "TTL b", "INCR n", "GETSET n 1", "EXISTS a"]
    {
        talk.ask('a', command);
    }
    talk.after(10);
    for (name, count) in [("keyspace_hits", 4), ("keyspace_misses", 2), ("expired_keys", 1)] {
        let told = line(&mut talk, "stats", &format!("{name}:"));
        assert_eq!(told, Some(count.to_string()), "{name}");
    }
}

#[test]
fn memory_grows_with_the_data() {
    let mut talk = Talk::new();
    let used =
        |talk: &mut Talk| -> u64 { line(talk, "memory", "used_memory:").unwrap().parse().unwrap() };
    let before = used(&mut talk);
    talk.ask('a', &format!("SET a {}", "x".repeat(1_000)));
    let after = used(&mut talk);
    assert_eq!((before, after - before), (1_048_576, 56 + 1 + 1_000 + 16));
    assert_eq!(talk.ask('a', "MEMORY USAGE a"), format!(":{}", after - before));
    assert_eq!(talk.ask('a', "MEMORY USAGE none"), "nil");
}

#[test]
fn a_key_that_is_used_is_idle_no_more() {
    let mut talk = Talk::new();
    talk.ask('a', "SET a 1");
    talk.after(3_500);
    talk.expect(&[
        ('a', "EXISTS a", ":1"),
        ('a', "TTL a", ":-1"),
        ('a', "OBJECT IDLETIME a", ":3"),
        ('a', "TOUCH a", ":1"),
        ('a', "OBJECT IDLETIME a", ":0"),
        ('a', "OBJECT IDLETIME none", "nil"),
        ('a', "OBJECT FREQ none", "nil"),
    ]);
    talk.after(2_000);
    talk.ask_words('a', &["EVAL", "return redis.call('get', 'a')", "0"]);
    assert_eq!(talk.ask('a', "OBJECT IDLETIME a"), ":0");
    let freq = talk.ask('a', "OBJECT FREQ a");
    assert!(freq.starts_with("!ERR An LFU maxmemory policy is not selected, access"), "{freq}");
}

#[test]
fn how_often_a_key_is_used_is_counted_under_such_a_policy() {
    let mut talk = Talk::new();
    talk.ask('a', "CONFIG SET maxmemory-policy allkeys-lfu");
    talk.ask('a', "SET a 1");
    assert_eq!(talk.ask('a', "OBJECT FREQ a"), ":5");
    for _ in 0..1_000 {
        talk.ask('a', "GET a");
    }
    let freq: u64 = talk.ask('a', "OBJECT FREQ a")[1..].parse().unwrap();
    assert!((10..40).contains(&freq), "{freq}");
    talk.after(120_000);
    assert_eq!(talk.ask('a', "OBJECT FREQ a"), format!(":{}", freq - 2));
    let idle = talk.ask('a', "OBJECT IDLETIME a");
    assert!(idle.starts_with("!ERR An LFU maxmemory policy is selected, idle time not"), "{idle}");
}

#[test]
fn the_slow_log_has_what_takes_as_long_as_it_is_told() {
    let mut talk = Talk::new();
    talk.expect(&[
        ('a', "GET a", "nil"),
        ('a', "SLOWLOG LEN", ":0"),
        ('a', "CONFIG SET slowlog-log-slower-than 0", "+OK"),
        ('b', "CLIENT SETNAME bob", "+OK"),
        ('b', "GET a", "nil"),
        ('a', "SLOWLOG GET 1", "[[:2 :1700000000 :0 [GET a] 10.0.0.2:1002 bob]]"),
        ('a', "CONFIG SET slowlog-max-len 2", "+OK"),
        ('a', "SLOWLOG LEN", ":2"),
        ('a', "AUTH default secret", "+OK"),
        ('a', "SLOWLOG GET 1", "[[:6 :1700000000 :0 [AUTH (redacted) (redacted)] 10.0.0.1:1001 ]]"),
        ('a', "SLOWLOG RESET", "+OK"),
        ('a', "CONFIG SET slowlog-log-slower-than -1", "+OK"),
        ('a', "SLOWLOG RESET", "+OK"),
        ('a', "SLOWLOG LEN", ":0"),
        ('a', "SLOWLOG GET -2", "!ERR count should be greater than or equal to -1"),
    ]);
    talk.ask('a', "CONFIG SET slowlog-log-slower-than 0");
    let words: Vec<String> = (0..40).map(|number| format!("k{number}")).collect();
    talk.ask('a', &format!("DEL {} {}", "x".repeat(200), words.join(" ")));
    let told = talk.ask('a', "SLOWLOG GET 1");
    let long = format!("[DEL {}... (72 more bytes) k0", "x".repeat(128));
    assert!(told.contains(&long) && told.contains("k28 ... (11 more arguments)]"), "{told}");
}

#[test]
fn debug_sleeps_by_the_clock_and_fails_when_it_is_told_to() {
    let mut talk = Talk::new();
    talk.expect(&[
        ('a', "DEBUG SLEEP 0", "+OK"),
        ('a', "DEBUG ERROR MYERR", "!MYERR"),
        ('a', "DEBUG OBJECT none", "!ERR no such key"),
        ('a', "SET a 5", "+OK"),
        (
            'a',
            "DEBUG OBJECT a",
            "+Value at:0x0 refcount:1 encoding:int serializedlength:73 lru:1700000000 \
                 lru_seconds_idle:0",
        ),
        (
            'a',
            "DEBUG JMAP",
            "!ERR this fake Redis does not have 'debug|JMAP', or not with so many arguments. \
                 Try DEBUG HELP.",
        ),
        ('a', "DEBUG SLEEP 0.5", "waits"),
        ('b', "GET a", "waits"),
    ]);
    assert_eq!(talk.after(499), "");
    let told = talk.after(1);
    assert!(told.contains("a!: +OK") && told.contains("b!: 5"), "{told}");
    assert_eq!(talk.ask('a', "SLOWLOG LEN"), ":1");
}
