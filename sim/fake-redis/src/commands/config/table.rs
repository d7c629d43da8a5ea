//! The settings that clients ask for, with the values of a server without a file.
//!
//! Most have no effect here: they are there because programs read them, or set them at the start.

use std::borrow::Cow;

use bytes::Bytes;

use super::super::super::command::integer;

/// A setting.
#[derive(Debug)]
pub(super) struct Option {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) default: &'static str,
}

/// What may be written for a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Never changed.
    Fixed,
    /// Bytes, perhaps with a unit.
    Memory,
    /// The same, as a signed number.
    SignedMemory,
    /// An integer from the first to the second.
    Number(i64, i64),
    /// Secret: it is not stored with the others.
    Password,
    Text,
    YesNo,
}

impl Kind {
    /// The value as it is stored and told, or what is wrong with it.
    pub(super) fn read(self, text: &Bytes) -> Result<Bytes, Cow<'static, str>> {
        match self {
            Self::Choice(words) => {
                let word = words.iter().find(|word| word.as_bytes().eq_ignore_ascii_case(text));
                word.map(|word| Bytes::from(*word)).ok_or_else(|| {
                    let words = words.join(", ");
                    format!("argument(s) must be one of the following: {words}").into()
                })
            }
            Self::Fixed => Err("can't set immutable config".into()),
            Self::Memory => memory(text)
                .map(|bytes| bytes.to_string().into())
                .ok_or_else(|| "argument must be a memory value".into()),
            Self::SignedMemory => match memory(text) {
                Some(bytes) if i64::try_from(bytes).is_ok() => Ok(bytes.to_string().into()),
                Some(_) => Err(between(0, i64::MAX)),
                None => Err("argument must be a memory value".into()),
            },
            Self::Number(least, most) => match integer(text) {
                Ok(number) if (least..=most).contains(&number) => Ok(text.clone()),
                Ok(_) => Err(between(least, most)),
                Err(_) => Err("argument couldn't be parsed into an integer".into()),
            },
            Self::Password | Self::Text => Ok(text.clone()),
            Self::YesNo => match text.to_ascii_lowercase().as_slice() {
                b"yes" => Ok(Bytes::from_static(b"yes")),
                b"no" => Ok(Bytes::from_static(b"no")),
                _ => Err("argument must be 'yes' or 'no'".into()),
            },
        }
    }
}

fn between(least: i64, most: i64) -> Cow<'static, str> {
    format!("argument must be between {least} and {most} inclusive").into()
}

/// A number of bytes, such as `100mb`.
fn memory(text: &[u8]) -> std::option::Option<u64> {
    let text = std::str::from_utf8(text).ok()?.to_ascii_lowercase();
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let factor = match unit {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

const fn row(name: &'static str, kind: Kind, default: &'static str) -> Option {
    Option { name, kind, default }
}

const SOME: Kind = Kind::Number(0, i32::MAX as i64);

pub(super) const TABLE: &[Option] = &[
    row("activedefrag", Kind::YesNo, "no"),
    row("appendfsync", Kind::Choice(&["always", "everysec", "no"]), "everysec"),
    row("appendonly", Kind::YesNo, "no"),
    row("bind", Kind::Text, "* -::*"),
    row("busy-reply-threshold", SOME, "5000"),
    row(
        "client-output-buffer-limit",
        Kind::Text,
        "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
    ),
    row("client-query-buffer-limit", Kind::Memory, "1073741824"),
    row("cluster-enabled", Kind::Fixed, "no"),
    row("databases", Kind::Fixed, "16"),
    row("dbfilename", Kind::Text, "dump.rdb"),
    row("enable-debug-command", Kind::Fixed, "no"),
    row("hash-max-listpack-entries", SOME, "512"),
    row("hash-max-listpack-value", SOME, "64"),
    row("hash-max-ziplist-entries", SOME, "512"),
    row("hash-max-ziplist-value", SOME, "64"),
    row("hz", Kind::Number(1, i32::MAX as i64), "10"),
    row("io-threads", Kind::Fixed, "1"),
    row("latency-monitor-threshold", SOME, "0"),
    row("latency-tracking", Kind::YesNo, "yes"),
    row("lazyfree-lazy-eviction", Kind::YesNo, "no"),
    row("lazyfree-lazy-expire", Kind::YesNo, "no"),
    row("lazyfree-lazy-server-del", Kind::YesNo, "no"),
    row("lazyfree-lazy-user-del", Kind::YesNo, "no"),
    row("lfu-decay-time", SOME, "1"),
    row("lfu-log-factor", SOME, "10"),
    row("list-max-listpack-size", Kind::Number(i32::MIN as i64, i32::MAX as i64), "-2"),
    row("list-max-ziplist-size", Kind::Number(i32::MIN as i64, i32::MAX as i64), "-2"),
    row("loglevel", Kind::Choice(&["debug", "verbose", "notice", "warning", "nothing"]), "notice"),
    row("lua-time-limit", SOME, "5000"),
    row("maxclients", Kind::Number(1, u32::MAX as i64), "10000"),
    row("maxmemory", Kind::Memory, "0"),
    row("maxmemory-clients", Kind::Memory, "0"),
    row(
        "maxmemory-policy",
        Kind::Choice(&[
            "volatile-lru",
            "volatile-lfu",
            "volatile-random",
            "volatile-ttl",
            "allkeys-lru",
            "allkeys-lfu",
            "allkeys-random",
            "noeviction",
        ]),
        "noeviction",
    ),
    row("maxmemory-samples", Kind::Number(1, i32::MAX as i64), "5"),
    row("min-replicas-max-lag", SOME, "10"),
    row("min-replicas-to-write", SOME, "0"),
    row("notify-keyspace-events", Kind::Text, ""),
    row("port", Kind::Fixed, "6379"),
    row("proto-max-bulk-len", Kind::Memory, "536870912"),
    row("protected-mode", Kind::YesNo, "yes"),
    row("rdbcompression", Kind::YesNo, "yes"),
    row("repl-backlog-size", Kind::Memory, "1048576"),
    row("repl-timeout", SOME, "60"),
    row("replica-read-only", Kind::YesNo, "yes"),
    row("replica-serve-stale-data", Kind::YesNo, "yes"),
    row("requirepass", Kind::Password, ""),
    row("save", Kind::Text, ""),
    row("set-max-intset-entries", SOME, "512"),
    row("slowlog-log-slower-than", Kind::Number(-1, i64::MAX), "10000"),
    row("slowlog-max-len", SOME, "128"),
    row("stop-writes-on-bgsave-error", Kind::YesNo, "yes"),
    row("stream-node-max-bytes", Kind::SignedMemory, "4096"),
    row("stream-node-max-entries", Kind::Number(0, i64::MAX), "100"),
    row("tcp-backlog", Kind::Fixed, "511"),
    row("tcp-keepalive", SOME, "300"),
    row("timeout", SOME, "0"),
    row("zset-max-listpack-entries", SOME, "128"),
    row("zset-max-listpack-value", SOME, "64"),
    row("zset-max-ziplist-entries", SOME, "128"),
    row("zset-max-ziplist-value", SOME, "64"),
];
