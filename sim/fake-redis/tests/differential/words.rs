//! The words that commands are made of: few, so that commands meet, and some of them odd.

use bytes::Bytes;

use crate::{chance::Chance, fake::START_MS};

/// Every key that is ever used, by type, so that commands mostly meet the type they are for.
pub(crate) const KEYS: [&str; 15] =
    ["s1", "s2", "s3", "h1", "h2", "l1", "l2", "t1", "t2", "z1", "z2", "x1", "x2", "none", ""];

const VALUES: [&[u8]; 12] = [
    b"a", b"b", b"ab", b"", b"10", b"-3", b"3.5", b"\x00\xff\r\n", b"hello world", b"A",
    b"\xc3\xa9", b"abcab",
];
const NUMBERS: [&str; 9] =
    ["0", "1", "10", "-5", "9223372036854775807", "-9223372036854775808", "3.25", "1e3", "99"];
/// What is put where something else is expected, also for a key.
pub(crate) const ODD: [&str; 23] = [
    "-0", "+1", "1e3", " 1", "1 ", "01", "1.0", "", "abc", "nan", "inf", "-inf", "(1", "[a", "-1",
    "9223372036854775808", "-9223372036854775809", "99999999999999999999", "4294967296",
    "2147483648", "NX", "*", "\u{e9}",
];
/// At the bounds of the types of numbers.
const EXTREMES: [&str; 9] = [
    "9223372036854775807", "9223372036854775806", "-9223372036854775808", "-9223372036854775807",
    "4611686018427387904", "2147483648", "-2147483649", "4294967296", "1152921504606846977",
];
const FLOATS: [&str; 14] = [
    "1", "-1", "0.5", "3.0", "1e3", "-0", "0.1", "inf", "-inf", "nan", "1e400",
    "1.7976931348623157e308", "0.30000000000000004", "100000000000000000000",
];

/// A word of this kind.
pub(crate) fn word(kind: &str, chance: &mut impl Chance) -> Bytes {
    // One in thirty is something else than expected.
    if chance.one_in(30) {
        return text(ODD[chance.below(ODD.len())]);
    }
    match kind {
        "key" => text(KEYS[chance.below(KEYS.len())]),
        "skey" => key("s", chance),
        "hkey" => key("h", chance),
        "lkey" => key("l", chance),
        "tkey" => key("t", chance),
        "zkey" => key("z", chance),
        "xkey" => key("x", chance),
        "value" => Bytes::from_static(VALUES[chance.below(VALUES.len())]),
        "script" => text(SCRIPTS[chance.below(SCRIPTS.len())]),
        "sha" => sha(chance),
        "offset" | "many" | "smallint" | "drawn" | "index" | "int" | "seconds" | "ms" | "at"
        | "atms" | "bit" | "db" => text(&integer(kind, chance)),
        "score" | "float" => text(FLOATS[chance.below(FLOATS.len())]),
        "bound" => bound(chance),
        _ => text(one_of(kind, chance)),
    }
}

/// Something out of place.
pub(crate) fn odd(chance: &mut impl Chance) -> Bytes {
    text(ODD[chance.below(ODD.len())])
}

/// Scripts whose replies depend on nothing without an order.
pub(crate) const SCRIPTS: [&str; 38] = [
    "error('\\255' .. #KEYS)",
    "return {err = 'E \\240\\255'}",
    "redis.call('del', KEYS[1]) for i = 1, 1200 do redis.call('rpush', KEYS[1], i) end return redis.call('llen', KEYS[1])",
    "redis.call('del', KEYS[1]) for i = 1, 1200 do redis.call('sadd', KEYS[1], 'm' .. i % 900) end return redis.call('scard', KEYS[1])",
    "redis.call('del', KEYS[1]) for i = 1, 1200 do redis.call('hset', KEYS[1], i, i) redis.call('hdel', KEYS[1], i - 5) end return redis.call('hlen', KEYS[1])",
    "redis.call('del', KEYS[1]) for i = 1, 1200 do redis.call('zadd', KEYS[1], i % 7, i) end return redis.call('zrange', KEYS[1], 1190, -1)",
    "redis.call('del', KEYS[1]) for i = 1, 1200 do redis.call('xadd', KEYS[1], '*', 'f', i) redis.call('xtrim', KEYS[1], 'MAXLEN', '~', 150) end return redis.call('xlen', KEYS[1])",
    "redis.call('del', KEYS[1]) local t = {} for i = 1, 7000 do t[i] = 'e' .. i end return redis.call('rpush', KEYS[1], unpack(t))",
    "return 1",
    "return ARGV[1]",
    "return {KEYS[1], KEYS[2], ARGV[1], ARGV[2]}",
    "return redis.call('set', KEYS[1], ARGV[1])",
    "return redis.call('get', KEYS[1])",
    "return {1, 2.9, -2.9, 'x', false, true, nil, 4}",
    "return redis.pcall('incr', KEYS[1])",
    "return redis.call('incr', KEYS[1])",
    "return redis.error_reply('MINE of my own')",
    "return redis.error_reply('plain')",
    "return redis.status_reply('FINE')",
    "return {ok = 'status'}",
    "return {err = 'ERR table'}",
    "return redis.sha1hex(ARGV[1] or '')",
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end",
    "return cjson.encode({1, 2, 'x', {a = ARGV[1] and 1}})",
    "return cjson.decode('[1, 2.5, \"x\", null, true]')",
    "return #KEYS + #ARGV",
    "return tostring(redis.call('type', KEYS[1]).ok)",
    "x = 1",
    "return y",
    "return redis.call('nosuchcommand', 'a')",
    "return redis.call('get')",
    "return redis.call('subscribe', 'a')",
    "error('raised')",
    "return (",
    "#!lua flags=no-writes\nreturn redis.call('set', KEYS[1] or 'k', 'v')",
    "#!lua flags=no-writes\nreturn redis.call('exists', KEYS[1] or 'k')",
    "redis.call('rpush', KEYS[1], ARGV[1]) return redis.call('lrange', KEYS[1], 0, -1)",
    "redis.call('pexpire', KEYS[1], 5) return redis.call('pttl', KEYS[1])",
];

/// Runs a command, so that it meets a script.
pub(crate) const CALL: &str = "return redis.call(unpack(ARGV))";
/// The same, protected.
pub(crate) const PCALL: &str = "return redis.pcall(unpack(ARGV))";

fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// Of this type nine times in ten.
fn key(kind: &str, chance: &mut impl Chance) -> Bytes {
    if chance.one_in(10) {
        return text(KEYS[chance.below(KEYS.len())]);
    }
    let of_kind: Vec<_> = KEYS.iter().filter(|key| key.starts_with(kind)).collect();
    text(of_kind[chance.below(of_kind.len())])
}

fn integer(kind: &str, chance: &mut impl Chance) -> String {
    // A bit far away would take half a gigabyte, and a real server never ends to draw.
    if !matches!(kind, "offset" | "drawn" | "many" | "bit") && chance.one_in(40) {
        return EXTREMES[chance.below(EXTREMES.len())].into();
    }
    let (least, most) = match kind {
        "bit" => (0, 2),
        "db" => (-1, 3),
        "offset" => (0, 40),
        "many" => return "1000".into(),
        "smallint" | "drawn" => (-3, 5),
        "index" => (-5, 6),
        "seconds" => (-1, 4),
        "ms" => (-2, 12),
        "at" => (START_MS / 1_000 - 2, START_MS / 1_000 + 4),
        "atms" => (START_MS - 2, START_MS + 30),
        _ if chance.one_in(2) => return NUMBERS[chance.below(NUMBERS.len())].into(),
        _ => (-20, 20),
    };
    let span = usize::try_from(most - least + 1).expect("a span is small");
    let drawn = i64::try_from(chance.below(span)).expect("a span is small");
    (least + drawn).to_string()
}

fn bound(chance: &mut impl Chance) -> Bytes {
    let float = FLOATS[chance.below(FLOATS.len())];
    text(&if chance.one_in(4) { format!("({float}") } else { float.to_owned() })
}

fn sha(chance: &mut impl Chance) -> Bytes {
    use sha1::Digest;
    let script = SCRIPTS[chance.below(SCRIPTS.len())];
    let digest = sha1::Sha1::digest(script);
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

fn one_of(kind: &str, chance: &mut impl Chance) -> &'static str {
    let choices: &[&str] = match kind {
        "number" => &NUMBERS,
        "field" => &["f", "g", "a", "b", "10"],
        "member" => &["a", "b", "c", "d", "1", "2", "30", "3.5", "x y"],
        "lexbound" => &["-", "+", "[a", "[c", "(b", "[", "(", "a"],
        "cursor" => &["0", "0", "0", "0", "x"],
        "pattern" => {
            &["*", "s*", "?1", "[sh]1", "[^s]?", "a*", "\\*", "**1", "h[1-2]", "nothing", "n*e"]
        }
        "channel" => &["news", "chat", "news:1"],
        "notime" => &["0.01", "1", "0", "-1", "x"],
        "type" => &["string", "hash", "list", "set", "zset", "stream", "nothing", "LIST"],
        "side" => &["LEFT", "RIGHT", "left", "up"],
        "where" => &["BEFORE", "AFTER", "before", "BESIDE"],
        "minmax" => &["MIN", "MAX", "min", "MID"],
        "aggregate" => &["SUM", "MIN", "MAX", "AVG"],
        "bitop" => &["AND", "OR", "XOR", "NOT"],
        "bittype" => &["u8", "i8", "u4", "i64", "u64", "i0"],
        "id" => &["0", "1-1", "1-2", "2-1", "5", "0-0", "-"],
        "newid" => &["*", "1-1", "1-2", "2-*", "3-1", "0-0", "5"],
        "idbound" => &["-", "+", "1-1", "(1-1", "2", "(5", "$"],
        "groupid" => &["$", "0", "1-1", "x", "-", "+"],
        "readid" => &[">", ">", "0", "1-1", "$"],
        "group" => &["g1", "g2"],
        "consumer" => &["c1", "c2"],
        "by" => &["s*", "h*->f", "h*->10", "*", "none*", "none"],
        "get" => &["#", "s*", "h*->f", "h*->a", "*", "none"],
        "none" => &["none"],
        "name" => {
            &["get", "set", "eval", "zadd", "nothing", "mget", "xread", "zunionstore", "PING"]
        }
        "protocol" => &["2", "3", "2", "4", "x"],
        "server" => &["server"],
        other => unreachable!("no such kind of word: {other}"),
    };
    choices[chance.below(choices.len())]
}
