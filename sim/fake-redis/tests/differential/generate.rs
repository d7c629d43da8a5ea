//! Draws what is sent.

use bytes::Bytes;

use crate::{
    chance::Chance,
    compare::is,
    grammar::{Form, Part},
    settings::{HARMFUL, VALUES},
    step::{SESSIONS, Step},
    words,
};

/// Every setting, each in a line with its value.
const SETTINGS: &str = include_str!("../redis/settings_of_redis.txt");

/// What a real server lets a script do, and the fake does not: it is about the process.
const UNSCRIPTED: [&str; 3] = ["INFO", "LASTSAVE", "LOLWUT"];

/// Draws from the forms of the grammar.
#[derive(Clone, Debug)]
pub(crate) struct Generator {
    forms: Vec<Form>,
    weights: usize,
}

impl Generator {
    pub(crate) fn new(forms: Vec<Form>) -> Self {
        let weights = forms.iter().map(|form| form.weight).sum();
        Self { forms, weights }
    }

    /// So many steps at least.
    pub(crate) fn steps(&self, length: usize, chance: &mut impl Chance) -> Vec<Step> {
        let mut steps = Vec::new();
        for _ in 0..chance.below(4) {
            steps.push(setting(chance));
        }
        while steps.len() < length {
            match chance.below(100) {
                0..3 => steps.push(advance(chance)),
                3..7 => self.transaction(&mut steps, chance),
                7..11 => self.wrapped(&mut steps, chance),
                11..13 => subscription(&mut steps, chance),
                13 => self.wait(&mut steps, chance),
                14 => events(&mut steps, chance),
                15 if chance.one_in(2) => steps.push(setting(chance)),
                _ => {
                    let words = self.command(chance);
                    steps.push(Step::Command { session: session(&words, chance), words });
                }
            }
        }
        steps
    }

    /// A command, mostly a valid one.
    fn command(&self, chance: &mut impl Chance) -> Vec<Bytes> {
        let mut words = Vec::new();
        let form = self.form(chance);
        sequence(&form.parts, &mut words, chance);
        if chance.one_in(12) {
            disturb(&mut words, chance);
        }
        words
    }

    /// One that names this key, if a few draws bring one up.
    fn command_on(&self, key: &Bytes, chance: &mut impl Chance) -> Vec<Bytes> {
        let mut command = self.command(chance);
        for _ in 0..40 {
            if command.contains(key) {
                break;
            }
            command = self.command(chance);
        }
        command
    }

    fn form(&self, chance: &mut impl Chance) -> &Form {
        let mut at = chance.below(self.weights);
        for form in &self.forms {
            match at.checked_sub(form.weight) {
                Some(rest) => at = rest,
                None => return form,
            }
        }
        unreachable!("what was drawn is less than the sum of the weights")
    }

    fn transaction(&self, steps: &mut Vec<Step>, chance: &mut impl Chance) {
        let session = chance.below(SESSIONS);
        if chance.one_in(3) {
            let watched = words::word("key", chance);
            steps.push(command(session, &[b"WATCH", &watched]));
            for _ in 0..chance.below(3) {
                let words = self.command_on(&watched, chance);
                steps.push(Step::Command { session: 0, words });
            }
        }
        if !chance.one_in(20) {
            steps.push(Step::command(session, "MULTI"));
        }
        for _ in 0..chance.below(5) {
            let words = match chance.below(80) {
                0 | 1 => vec!["MULTI".into()],
                2 => vec!["SSUBSCRIBE".into(), "news".into()],
                _ => self.command(chance),
            };
            // What it changes counts for the whole reply of the fake's EXEC.
            if !is(&words, &["HELLO"]) {
                steps.push(Step::Command { session, words });
            }
            if chance.one_in(20) {
                steps.push(advance(chance));
            }
        }
        steps.push(Step::command(session, if chance.one_in(8) { "DISCARD" } else { "EXEC" }));
    }

    /// A command inside a script.
    fn wrapped(&self, steps: &mut Vec<Step>, chance: &mut impl Chance) {
        let script = if chance.one_in(2) { words::CALL } else { words::PCALL };
        let head = ["EVAL".into(), script.into(), "0".into()];
        let command = self.command(chance);
        if UNSCRIPTED.iter().any(|name| is(&command, &[name])) {
            return;
        }
        let words = head.into_iter().chain(command).collect();
        steps.push(Step::Command { session: 0, words });
    }

    /// A connection waits for an element of a list or a sorted set, another may bring one.
    fn wait(&self, steps: &mut Vec<Step>, chance: &mut impl Chance) {
        const WAITS: [&str; 16] = [
            "BLPOP l1 l2 1",
            "BRPOP l1 0",
            "BLMOVE l1 l2 LEFT RIGHT 2",
            "BLMPOP 1 2 l2 l1 RIGHT COUNT 2",
            "BZPOPMIN z1 z2 0.5",
            "BZPOPMAX z2 z1 1",
            "BZMPOP 0 2 z2 z1 MAX COUNT 3",
            "XREAD BLOCK 1000 STREAMS x1 $",
            "XREAD COUNT 1 BLOCK 1000 STREAMS x1 x2 $ 0",
            "XREADGROUP GROUP g1 c1 BLOCK 1000 STREAMS x1 >",
            "XREADGROUP GROUP g1 c1 COUNT 1 BLOCK 1000 STREAMS x2 x1 > >",
            "BRPOPLPUSH l2 l1 3",
            "WAIT 1 1000",
            "WAIT 3 0",
            "WAIT 0 5",
            "BLPOP l2 l1 0.001",
        ];
        const BRINGS: [&str; 16] = [
            "RPUSH l1 a b c",
            "LPUSH l2 d",
            "ZADD z1 1 a 2 b",
            "ZADD z2 5 c",
            "XADD x1 * f v",
            "XADD x2 * g w",
            "DEL l1 l2 z1 x1",
            "RENAME l2 l1",
            "RENAME h1 l1",
            "LMOVE l2 l1 LEFT LEFT",
            "XGROUP DESTROY x1 g1",
            "XGROUP SETID x1 g1 0",
            "SWAPDB 0 1",
            "FLUSHALL",
            "SET l1 v",
            "EVAL redis.call('rpush','l1','a')redis.call('rpush','l2','b')redis.call('del','l1') 0",
        ];
        if chance.one_in(2) {
            let both =
                "DEL x1;DEL x2;XGROUP CREATE x1 g1 0 MKSTREAM;XGROUP CREATE x2 g1 0 MKSTREAM";
            steps.extend(both.split(';').map(|line| Step::command(0, line)));
        }
        for _ in 0..1 + chance.below(2) {
            let session = 1 + chance.below(SESSIONS - 1);
            steps.push(Step::command(session, WAITS[chance.below(WAITS.len())]));
        }
        let at_once = chance.one_in(3);
        steps.extend(at_once.then(|| Step::command(0, "MULTI")));
        for _ in 0..chance.below(4) {
            steps.push(Step::command(0, BRINGS[chance.below(BRINGS.len())]));
        }
        steps.extend(at_once.then(|| Step::command(0, "EXEC")));
        if chance.one_in(2) {
            steps.push(Step::Advance { ms: 1_500 });
        }
    }
}

fn advance(chance: &mut impl Chance) -> Step {
    let ms = if chance.one_in(4) { chance.below(3_000) } else { 1 + chance.below(12) };
    Step::Advance { ms: u64::try_from(ms).expect("a few thousand fit") }
}

/// Some setting: mostly one that changes what commands do.
fn setting(chance: &mut impl Chance) -> Step {
    const TELLING: [&str; 22] = [
        "stream-node-max-entries 3",
        "stream-node-max-entries 0",
        "stream-node-max-bytes 60",
        "stream-node-max-bytes 0",
        "hash-max-listpack-entries 2",
        "hash-max-ziplist-value 1",
        "set-max-intset-entries 2",
        "zset-max-listpack-entries 1",
        "zset-max-listpack-value 1",
        "list-max-listpack-size 2",
        "list-compress-depth 1",
        "min-replicas-to-write 1",
        "notify-keyspace-events KEA",
        "notify-keyspace-events Kg$x",
        "notify-keyspace-events Elshztdn",
        "busy-reply-threshold 100000",
        "maxmemory 1",
        "slowlog-log-slower-than 0 slowlog-max-len 2",
        "lfu-log-factor 1 lfu-decay-time 0",
        "acl-pubsub-default allchannels",
        "proto-max-bulk-len 1mb",
        "latency-tracking no",
    ];
    if !chance.one_in(3) {
        let told = TELLING[chance.below(TELLING.len())];
        return Step::command(0, &format!("CONFIG SET {told}"));
    }
    let names: Vec<_> = SETTINGS.lines().filter_map(|line| line.split(' ').next()).collect();
    // Which keys give way is another matter.
    let name = loop {
        let name = names[chance.below(names.len())];
        if !HARMFUL.contains(&name) && !name.starts_with("maxmemory") {
            break name;
        }
    };
    let value = VALUES[chance.below(VALUES.len())];
    let words = ["CONFIG", "SET", name, value].map(|word| word.to_owned().into());
    Step::Command { session: 0, words: words.to_vec() }
}

/// Somebody listens to what happens to keys.
fn events(steps: &mut Vec<Step>, chance: &mut impl Chance) {
    const CLASSES: [&str; 5] = ["KEA", "Kx", "EA", "K$lg", "Ehsztdxe"];
    const LISTENS: [&str; 4] = [
        "PSUBSCRIBE __key*",
        "PSUBSCRIBE __keyevent@0__:*",
        "PSUBSCRIBE __keyspace@*__:?1",
        "SUBSCRIBE __keyevent@0__:expired __keyspace@0__:s1",
    ];
    let classes = CLASSES[chance.below(CLASSES.len())];
    steps.push(Step::command(0, &format!("CONFIG SET notify-keyspace-events {classes}")));
    let session = 1 + chance.below(SESSIONS - 1);
    if chance.one_in(4) {
        steps.push(Step::command(session, "HELLO 3"));
    }
    steps.push(Step::command(session, LISTENS[chance.below(LISTENS.len())]));
}

/// A subscriber comes, hears something, and goes.
fn subscription(steps: &mut Vec<Step>, chance: &mut impl Chance) {
    const KINDS: [(&str, &str, [&str; 3]); 3] = [
        ("SUBSCRIBE", "UNSUBSCRIBE", ["news", "chat", "news chat"]),
        ("PSUBSCRIBE", "PUNSUBSCRIBE", ["n*", "news:?", "* n*"]),
        ("SSUBSCRIBE", "SUNSUBSCRIBE", ["news", "chat", "news chat"]),
    ];
    const HEARD: [&str; 9] = [
        "SPUBLISH news hello",
        "SPUBLISH chat there",
        "PUBSUB SHARDCHANNELS",
        "PUBSUB SHARDNUMSUB news chat",
        "PUBLISH news hello",
        "PUBLISH news:1 there",
        "PUBSUB CHANNELS",
        "PUBSUB NUMSUB news chat",
        "PUBSUB NUMPAT",
    ];
    const MEANWHILE: [&str; 7] =
        ["PING", "PING hi", "GET s1", "SUBSCRIBE chat", "RESET", "SSUBSCRIBE chat", "UNSUBSCRIBE"];
    let session = 1 + chance.below(SESSIONS - 1);
    let (begin, end, channels) = KINDS[chance.below(KINDS.len())];
    let channels = channels[chance.below(channels.len())];
    steps.push(Step::command(session, &format!("{begin} {channels}")));
    for _ in 0..chance.below(4) {
        steps.push(Step::command(0, HEARD[chance.below(HEARD.len())]));
    }
    if chance.one_in(3) {
        steps.push(Step::command(session, MEANWHILE[chance.below(MEANWHILE.len())]));
    }
    let which = if chance.one_in(2) { String::new() } else { format!(" {channels}") };
    steps.push(Step::command(session, &format!("{end}{which}")));
}

/// Mostly the same one, so that a pipeline can be long. One that may wait is not it.
fn session(words: &[Bytes], chance: &mut impl Chance) -> usize {
    let may_wait = words.first().is_some_and(|name| {
        let name = name.to_ascii_uppercase();
        name.starts_with(b"B") || name.starts_with(b"XREAD") || name == b"WAIT"
    });
    match chance.below(20) {
        session @ 1..SESSIONS => session,
        _ if may_wait => 1 + chance.below(SESSIONS - 1),
        _ => 0,
    }
}

fn sequence(parts: &[Part], words: &mut Vec<Bytes>, chance: &mut impl Chance) {
    let mut rest = parts;
    while let Some((part, after)) = rest.split_first() {
        rest = after;
        match part {
            Part::Literal(literal) => words.push(cased(literal, chance)),
            Part::Word(kind) => words.push(words::word(kind, chance)),
            Part::Counted(kind) => counted(kind, words, chance),
            Part::Repeated(inner) => {
                for _ in 0..1 + chance.below(3) {
                    sequence(inner, words, chance);
                }
            }
            Part::Optional(_) => {
                let others = after.iter().take_while(|part| matches!(part, Part::Optional(_)));
                let count = 1 + others.count();
                let all = parts.len() - after.len() - 1;
                options(&parts[all..all + count], words, chance);
                rest = &parts[all + count..];
            }
        }
    }
}

/// Some of these in any order, now and then one twice.
fn options(groups: &[Part], words: &mut Vec<Bytes>, chance: &mut impl Chance) {
    let mut chosen: Vec<&Vec<Part>> = Vec::new();
    for group in groups {
        let Part::Optional(alternatives) = group else { unreachable!("only options are given") };
        while chance.one_in(if chosen.is_empty() { 2 } else { 3 }) {
            let place = chance.below(chosen.len() + 1);
            chosen.insert(place, &alternatives[chance.below(alternatives.len())]);
            if !chance.one_in(10) {
                break;
            }
        }
    }
    for option in chosen {
        sequence(option, words, chance);
    }
}

fn counted(kind: &str, words: &mut Vec<Bytes>, chance: &mut impl Chance) {
    let count = 1 + chance.below(3);
    let told = if chance.one_in(20) { chance.below(5) } else { count };
    words.push(told.to_string().into());
    words.extend((0..count).map(|_| words::word(kind, chance)));
}

/// Redis does not mind the case of a name or an option.
fn cased(literal: &str, chance: &mut impl Chance) -> Bytes {
    match chance.below(4) {
        0 => literal.to_ascii_lowercase().into(),
        1 => {
            let mut bytes = literal.as_bytes().to_vec();
            let at = chance.below(bytes.len());
            bytes[at] = bytes[at].to_ascii_lowercase();
            bytes.into()
        }
        _ => Bytes::copy_from_slice(literal.as_bytes()),
    }
}

/// Makes a command wrong, or another one.
fn disturb(words: &mut Vec<Bytes>, chance: &mut impl Chance) {
    let at = chance.below(words.len());
    match chance.below(5) {
        0 if words.len() > 1 => drop(words.remove(at.max(1))),
        1 => words.insert(at + 1, words::odd(chance)),
        2 => words.push(words::odd(chance)),
        3 if at > 0 => words[at] = words::odd(chance),
        _ => words.insert(at, words[at].clone()),
    }
}

fn command(session: usize, words: &[&[u8]]) -> Step {
    Step::Command {
        session,
        words: words.iter().map(|word| Bytes::copy_from_slice(word)).collect(),
    }
}
