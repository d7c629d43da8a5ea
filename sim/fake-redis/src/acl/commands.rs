//! Which commands are allowed: rules, of which the last that is about a command decides.

use bytes::Bytes;

use crate::command::{ABSENT, Body, Spec, Table};

/// The commands of a selector.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Commands {
    /// Whether the rules begin with everything or with nothing.
    all: bool,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Rule {
    allows: bool,
    /// `@category`, `command`, `container|subcommand`, or `command|first argument`.
    what: String,
}

impl Commands {
    pub(crate) const ALL: Self = Self { all: true, rules: Vec::new() };
    pub(crate) const NONE: Self = Self { all: false, rules: Vec::new() };

    pub(super) fn allow(&self, spec: &Spec, arguments: &[Bytes]) -> bool {
        if spec.flags.contains(crate::command::Flags::NO_AUTH) {
            return true;
        }
        let (container, name) = spec.place();
        let about = |rule: &&Rule| match rule.what.split_once('|') {
            None if rule.what.starts_with('@') => {
                spec.categories().iter().any(|category| *category == &rule.what[1..])
            }
            None => rule.what == name && container.is_none() || container == Some(&*rule.what),
            Some((outer, inner)) => match container {
                Some(container) => container == outer && name == inner,
                None => {
                    let first = arguments.get(1);
                    outer == name
                        && first.is_some_and(|it| it.eq_ignore_ascii_case(inner.as_bytes()))
                }
            },
        };
        self.rules.iter().rev().find(about).map_or(self.all, |rule| rule.allows)
    }

    /// Adds `+name` or `-name`, or says what is wrong with it.
    pub(super) fn add(
        &mut self,
        table: &Table,
        allows: bool,
        what: &[u8],
    ) -> Result<(), &'static str> {
        const UNKNOWN: &str = "Unknown command or category name in ACL";
        let what = String::from_utf8(what.to_ascii_lowercase()).map_err(|_| UNKNOWN)?;
        if what == "@all" {
            *self = if allows { Self::ALL } else { Self::NONE };
            return Ok(());
        }
        check(table, allows, &what).map_err(|reason| reason.unwrap_or(UNKNOWN))?;
        let within = format!("{what}|");
        self.rules.retain(|rule| rule.what != what && !rule.what.starts_with(&within));
        self.rules.push(Rule { allows, what });
        Ok(())
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::from(if self.all { "+@all" } else { "-@all" });
        for Rule { allows, what } in &self.rules {
            text.push_str(if *allows { " +" } else { " -" });
            text.push_str(what);
        }
        text
    }
}

/// Whether there is what a rule is about; if not, why, unless it is just unknown.
fn check(table: &Table, allows: bool, what: &str) -> Result<(), Option<&'static str>> {
    let known = |yes: bool| if yes { Ok(()) } else { Err(None) };
    if let Some(category) = what.strip_prefix('@') {
        return known(CATEGORIES.contains(&category));
    }
    let Some((outer, inner)) = what.split_once('|') else {
        let inside = format!("{what}|");
        let absent = ABSENT.iter().any(|name| *name == what || name.starts_with(&inside));
        return known(absent || table.by_name(what.as_bytes()).is_some());
    };
    if inner.contains('|') {
        return Err(Some("Allowing first-arg of a subcommand is not supported"));
    }
    match table.by_name(outer.as_bytes()).map(|row| &row.body) {
        Some(Body::Subcommands(rows)) => {
            known(rows.iter().any(|row| row.name == inner) || ABSENT.contains(&what))
        }
        // The first argument of a command that has no subcommands can be allowed, not denied.
        Some(_) => known(allows && !inner.is_empty()),
        None => known(ABSENT.contains(&outer)),
    }
}

/// The categories of a stock server, in its order.
pub(crate) const CATEGORIES: &[&str] = &[
    "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap",
    "hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous",
    "connection", "transaction", "scripting",
];
