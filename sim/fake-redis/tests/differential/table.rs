//! What the servers say of their commands.

use std::collections::BTreeMap;

use crate::{fake::Fake, real::Link, reply::Reply};

/// What `COMMAND INFO` says of a command that a client may rely on.
#[derive(Debug, PartialEq)]
struct Facts {
    arity: Reply,
    flags: Vec<Reply>,
    /// First, last and step.
    keys: Vec<Reply>,
}

/// The names of the fake's commands.
pub(crate) fn names(fake: &mut Fake) -> Vec<String> {
    let rows = fake.ask("COMMAND INFO");
    facts(&rows).into_keys().filter(|name| !name.contains('|')).collect()
}

/// Where the fake says something else of a command than the real server, in words.
pub(crate) fn differences(fake: &mut Fake, real: &mut Link) -> Vec<String> {
    let rows = fake.ask("COMMAND INFO");
    let (ours, theirs) = (facts(&rows), facts(&real.ask("COMMAND INFO")));
    assert!(!ours.is_empty(), "{rows}");
    let differing = ours.iter().filter(|(name, facts)| theirs.get(*name) != Some(*facts));
    differing
        .map(|(name, facts)| format!("{name}\n  fake: {facts:?}\n  real: {:?}", theirs.get(name)))
        .collect()
}

/// By name; subcommands as `container|name`.
fn facts(rows: &Reply) -> BTreeMap<String, Facts> {
    let mut all = BTreeMap::new();
    let Reply::Array(rows) = rows else { return all };
    for row in rows {
        let Reply::Array(columns) = row else { continue };
        let [Reply::Bulk(name), arity, Reply::Array(flags), first, last, step, rest @ ..] =
            &columns[..]
        else {
            panic!("no row of COMMAND: {row}")
        };
        let mut flags = flags.clone();
        flags.sort();
        let keys = vec![first.clone(), last.clone(), step.clone()];
        let name = String::from_utf8_lossy(name).into_owned();
        all.insert(name, Facts { arity: arity.clone(), flags, keys });
        if let [.., subcommands] = rest {
            all.extend(facts(subcommands));
        }
    }
    all
}
