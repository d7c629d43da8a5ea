//! Settings: those of redis-server 7.0.15, and what each does here.

use crate::sessions_support::Talk;

/// Every setting of redis-server 7.0.15 with the value that it has without a file.
const OF_REDIS: &str = include_str!("settings_of_redis.txt");

#[test]
fn each_setting_of_redis_is_told_and_takes_its_own_value() {
    let mut talk = Talk::new();
    for line in OF_REDIS.lines() {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        let told = talk.ask('a', &format!("CONFIG GET {name}"));
        assert_eq!(told, format!("{{{name}={value}}}"));
        let answer = talk.ask_words('a', &["CONFIG", "SET", name, value]);
        let immutable = answer.ends_with("can't set immutable config")
            || answer.ends_with("can't set protected config");
        assert!(answer == "+OK" || immutable, "{name}: {answer}");
    }
    let all = talk.ask('a', "CONFIG GET *");
    assert_eq!(all.matches('=').count(), OF_REDIS.lines().count());
}

#[test]
fn a_setting_without_effect_is_refused_with_a_sentence() {
    let mut talk = Talk::new();
    for line in ["appendonly yes", "timeout 5", "maxclients 5", "save 60", "tls-port 1", "port 1"] {
        let answer = talk.ask('a', &format!("CONFIG SET {line}"));
        let name = line.split(' ').next().unwrap();
        assert_eq!(
            answer,
            format!(
                "!ERR CONFIG SET failed (possibly related to argument '{name}') - this fake Redis \
                 does nothing by this setting, so that it cannot be changed"
            )
        );
    }
}

#[test]
fn two_names_of_a_setting_are_one_setting() {
    Talk::new().expect(&[
        ('a', "CONFIG SET hash-max-ziplist-entries 3", "+OK"),
        ('a', "CONFIG GET hash-max-listpack-entries", "{hash-max-listpack-entries=3}"),
        ('a', "CONFIG SET slave-priority 7", "+OK"),
        ('a', "CONFIG GET replica-priority", "{replica-priority=7}"),
        (
            'a',
            "CONFIG SET min-slaves-to-write x",
            "!ERR CONFIG SET failed (possibly related to argument 'min-slaves-to-write') - \
                 argument couldn't be parsed into an integer",
        ),
    ]);
}

#[test]
fn the_form_of_a_value_follows_the_settings() {
    let mut talk = Talk::new();
    talk.ask('a', &format!("SADD ints {}", numbers(513)));
    for (line, key, encoding) in [
        (format!("HSET h {}", numbers(400)), "h", "listpack"),
        ("CONFIG SET hash-max-listpack-entries 1".into(), "h", "hashtable"),
        ("HSET small a b".into(), "small", "listpack"),
        ("CONFIG SET hash-max-listpack-value 0".into(), "small", "hashtable"),
        ("SADD s 1 2 3".into(), "s", "intset"),
        ("CONFIG SET set-max-intset-entries 2".into(), "s", "hashtable"),
        ("GET none".into(), "ints", "hashtable"),
        ("CONFIG SET set-max-intset-entries 1000".into(), "ints", "intset"),
        ("ZADD z 1 a 2 b".into(), "z", "listpack"),
        ("CONFIG SET zset-max-listpack-entries 1".into(), "z", "skiplist"),
        ("CONFIG SET zset-max-ziplist-entries 128".into(), "z", "listpack"),
        ("CONFIG SET zset-max-listpack-value 0".into(), "z", "skiplist"),
    ] {
        let answer = talk.ask('a', &line);
        assert!(!answer.starts_with('!'), "{line}: {answer}");
        assert_eq!(talk.ask('a', &format!("OBJECT ENCODING {key}")), encoding, "{line}");
    }
}

fn numbers(count: usize) -> String {
    (0..count).map(|number| number.to_string()).collect::<Vec<_>>().join(" ")
}
