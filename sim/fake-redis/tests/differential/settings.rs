//! What each setting takes, and how it is told afterwards: as a real server does, unless the fake
//! refuses it with its own sentence.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::{compare::is, fake::Fake, real::Link, reply::Reply, step::effective};

/// Also what is out of place for most.
pub(crate) const VALUES: [&str; 29] = [
    "0", "1", "2", "10", "99", "101", "65536", "-1", "-2", "+1", "01", "1.5", "2147483647",
    "2147483648", "4294967295", "9223372036854775807", "9223372036854775808",
    "18446744073709551616", "99999999999999999999gb", "20kb", "1G", "10%", "yes", "NO",
    "allkeys-lru", "KEA", "Kx", "", "x y",
];

/// The words with which the fake says that a setting does nothing here.
const OURS: &[u8] = b"this fake Redis does nothing by this setting";

/// Not set on the real server: they are about its process, and it may not survive them. What it
/// says of a wrong value is not compared either.
pub(crate) const HARMFUL: [&str; 7] = [
    // It needs an allocator that not every server has.
    "activedefrag",
    "oom-score-adj",
    "oom-score-adj-values",
    "proc-title-template",
    "cluster-announce-hostname",
    "requirepass",
    "maxclients",
];

/// What is different, setting by setting.
pub(crate) fn differences(fake: &mut Fake, real: &mut Link) -> Vec<String> {
    let Reply::Array(all) = fake.ask("CONFIG GET *") else { panic!("settings are a list") };
    let mut differences = Vec::new();
    for pair in all.chunks(2) {
        let [Reply::Bulk(name), Reply::Bulk(default)] = pair else { panic!("a name and a value") };
        if HARMFUL.iter().any(|harmful| harmful.as_bytes() == name) {
            continue;
        }
        for value in VALUES {
            let set = ["CONFIG".into(), "SET".into(), name.clone(), Bytes::from(value)];
            let get = ["CONFIG".into(), "GET".into(), name.clone()];
            let ours = answer(fake, &set);
            if is_our_refusal(&ours) {
                continue;
            }
            let told = (ours, answer(fake, &get));
            let theirs = (real.ask_words(&set), real.ask_words(&get));
            // What is about the process has its own value there.
            let same = if told.0.is_status("OK") { told == theirs } else { told.0 == theirs.0 };
            if !same {
                let name = String::from_utf8_lossy(name);
                differences.push(format!("{name} {value:?}: {told:?}, real: {theirs:?}"));
            }
            let back = ["CONFIG".into(), "SET".into(), name.clone(), default.clone()];
            answer(fake, &back);
            real.ask_words(&back);
        }
    }
    differences
}

fn answer(fake: &mut Fake, words: &[Bytes]) -> Reply {
    fake.execute(0, words).replies.pop().expect("nothing waits")
}

/// Whether the fake refuses what a real server would do.
pub(crate) fn is_our_refusal(reply: &Reply) -> bool {
    matches!(reply, Reply::Error(text) if text.windows(OURS.len()).any(|it| it == OURS))
}

/// The settings that a case has set, with the values to set them back to.
pub(crate) fn to_set_back<'a>(all: impl Iterator<Item = &'a [Bytes]>) -> Vec<Vec<Bytes>> {
    let set = |words: &'a [Bytes]| match effective(words) {
        [_, _, pairs @ ..] if is(effective(words), &["CONFIG", "SET"]) => pairs,
        _ => &[],
    };
    let names: BTreeSet<_> = all.flat_map(|words| set(words).iter().step_by(2)).collect();
    let mut fake = Fake::new();
    let back = names.into_iter().filter_map(|name| {
        match answer(&mut fake, &["CONFIG".into(), "GET".into(), name.clone()]) {
            Reply::Array(pair) => match &pair[..] {
                [_, Reply::Bulk(value)] => {
                    Some(vec!["CONFIG".into(), "SET".into(), name.clone(), value.clone()])
                }
                _ => None,
            },
            _ => None,
        }
    });
    back.collect()
}
