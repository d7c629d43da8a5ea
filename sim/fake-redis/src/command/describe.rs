//! A row of the table as `COMMAND` shows it.

use bytes::Bytes;

use super::{Body, Flags, Group, Keys, Spec};
use crate::{Resp, resp::count};

/// Commands on all keys, beside those of [`Group::Generic`].
const ON_KEYSPACE: &[&str] = &["dbsize", "flushall", "flushdb", "swapdb"];
/// Commands that are dangerous though they are no administrator's.
const DANGEROUS: &[&str] =
    &["flushall", "flushdb", "info", "keys", "role", "sort", "sort_ro", "swapdb"];
/// Commands on several types, though their chapter is that on all keys.
const ON_LISTS_AND_SETS: &[&str] = &["sort", "sort_ro"];

impl Spec {
    /// The named subcommands.
    pub(crate) fn subcommands(&self) -> impl Iterator<Item = &'static Self> {
        let rows: &'static [Self] =
            if let Body::Subcommands(rows) = self.body { rows } else { &[] };
        rows.iter().filter(|row| !row.name.is_empty())
    }

    /// As `COMMAND INFO` shows it; `container` names the command of which it is a subcommand.
    pub(crate) fn info(&self, container: Option<&str>) -> Resp {
        let (first, last, step) = self.keys.positions();
        let number = |number: i32| Resp::Integer(number.into());
        let words = |words: Vec<String>| {
            Resp::Set(words.into_iter().map(|word| Resp::Simple(word.into())).collect())
        };
        let subcommands = self.subcommands().map(|row| row.info(Some(self.name)));
        Resp::Array(vec![
            bulk(&self.full_name(container)),
            number(self.arity),
            words(self.flags.names().collect()),
            number(first),
            number(last),
            number(step),
            words(self.categories().into_iter().map(|name| format!("@{name}")).collect()),
            Resp::Set(Vec::new()),
            Resp::Set(self.key_specifications()),
            Resp::Array(subcommands.collect()),
        ])
    }

    /// As `COMMAND DOCS` shows it, without its complexity and its arguments.
    pub(crate) fn docs(&self, container: Option<&str>) -> (Resp, Resp) {
        let mut pairs = vec![
            (bulk("summary"), bulk(self.about)),
            (bulk("since"), bulk(self.since)),
            (bulk("group"), bulk(self.group.name())),
        ];
        let subcommands: Vec<_> = self.subcommands().map(|row| row.docs(Some(self.name))).collect();
        if !subcommands.is_empty() {
            pairs.push((bulk("subcommands"), Resp::Map(subcommands)));
        }
        (bulk(&self.full_name(container)), Resp::Map(pairs))
    }

    /// `name`, or `container|name`.
    pub(crate) fn full_name(&self, container: Option<&str>) -> String {
        container.map_or_else(|| self.name.into(), |outer| format!("{outer}|{}", self.name))
    }

    /// The categories of access rights.
    pub(crate) fn categories(&self) -> Vec<&'static str> {
        let is_container = matches!(self.body, Body::Subcommands(_)) && self.arity != -1;
        let mut names = Vec::new();
        let mut add = |condition: bool, name| {
            if condition {
                names.push(name);
            }
        };
        let on_lists_and_sets = ON_LISTS_AND_SETS.contains(&self.name);
        let generic = self.group == Group::Generic && !on_lists_and_sets;
        let on_keyspace = generic || ON_KEYSPACE.contains(&self.name);
        add(on_keyspace && !is_container, "keyspace");
        add(self.flags.contains(Flags::READONLY), "read");
        add(self.flags.contains(Flags::WRITE), "write");
        let own = self.group.category().filter(|_| !is_container);
        add(own.is_some(), own.unwrap_or_default());
        for name in ["set", "sortedset", "list"] {
            add(on_lists_and_sets, name);
        }
        add(self.flags.contains(Flags::ADMIN), "admin");
        add(self.flags.contains(Flags::FAST), "fast");
        add(!self.flags.contains(Flags::FAST), "slow");
        add(self.flags.contains(Flags::BLOCKING), "blocking");
        let dangerous = self.group != Group::Connection && DANGEROUS.contains(&self.name);
        let dangerous = dangerous || self.flags.contains(Flags::ADMIN);
        add(dangerous, "dangerous");
        names
    }

    /// One for each way to find keys.
    fn key_specifications(&self) -> Vec<Resp> {
        let accesses = self.accesses();
        let places = self.keys.places(accesses.len());
        let specification = |(access, (search, find)): (&str, (Resp, Resp))| {
            let flags = access.split(' ').map(|word| Resp::Simple(word.to_owned().into()));
            Resp::Map(vec![
                (bulk("flags"), Resp::Set(flags.collect())),
                (bulk("begin_search"), search),
                (bulk("find_keys"), find),
            ])
        };
        accesses.into_iter().zip(places).map(specification).collect()
    }
}

impl Keys {
    /// The first and the last place of a key, and the step between; all 0 if the arguments decide.
    fn positions(self) -> (i32, i32, i32) {
        match self {
            Self::Range { first, last, step } => (first, last, step),
            Self::Hashed { first, last } => (first, last, 1),
            Self::Counted { also: Some(also), .. } => {
                let also = i32::try_from(also).unwrap_or(0);
                (also, also, 1)
            }
            Self::Sorted { .. } => (1, 1, 1),
            Self::None | Self::Counted { .. } | Self::Streams => (0, 0, 0),
        }
    }

    /// For each of so many specifications: where its keys begin, and how they go on.
    fn places(self, specifications: usize) -> Vec<(Resp, Resp)> {
        let index = |index: usize| typed("index", vec![("index", count(index))]);
        let one = || range(0, 1, 0);
        match self {
            Self::None => Vec::new(),
            Self::Hashed { first, last } => {
                Self::Range { first, last, step: 1 }.places(specifications)
            }
            Self::Range { first, last, step } if specifications == 1 => {
                let last = if last < 0 { last } else { last - first };
                vec![(index(usize::try_from(first).unwrap_or(0)), range(last, step, 0))]
            }
            Self::Range { first, last, step } => {
                let first = usize::try_from(first).unwrap_or(0);
                let place = |number: usize| {
                    let open = last < 0 && number + 1 == specifications;
                    (index(first + number), if open { range(last, step, 0) } else { one() })
                };
                (0..specifications).map(place).collect()
            }
            Self::Counted { count: at, also } => {
                let also = also.map(|also| (index(also), one()));
                also.into_iter().chain([(index(at), counted())]).collect()
            }
            Self::Sorted { .. } => {
                let unknown = || (typed("unknown", vec![]), typed("unknown", vec![]));
                let others = (1..specifications).map(|_| unknown());
                [(index(1), one())].into_iter().chain(others).collect()
            }
            Self::Streams => {
                let word =
                    typed("keyword", vec![("keyword", bulk("STREAMS")), ("startfrom", count(1))]);
                vec![(word, range(-1, 1, 2))]
            }
        }
    }
}

fn range(last: i32, step: i32, limit: i32) -> Resp {
    let number = |number: i32| Resp::Integer(number.into());
    typed(
        "range",
        vec![("lastkey", number(last)), ("keystep", number(step)), ("limit", number(limit))],
    )
}

fn counted() -> Resp {
    typed("keynum", vec![("keynumidx", count(0)), ("firstkey", count(1)), ("keystep", count(1))])
}

fn typed(name: &str, specification: Vec<(&str, Resp)>) -> Resp {
    let pairs = specification.into_iter().map(|(name, value)| (bulk(name), value)).collect();
    Resp::Map(vec![(bulk("type"), bulk(name)), (bulk("spec"), Resp::Map(pairs))])
}

fn bulk(text: &str) -> Resp {
    Resp::Bulk(Bytes::copy_from_slice(text.as_bytes()))
}

impl Group {
    /// As `COMMAND DOCS` names it.
    fn name(self) -> &'static str {
        match self {
            Self::Bitmap => "bitmap",
            Self::Connection => "connection",
            Self::Generic => "generic",
            Self::Hash => "hash",
            Self::List => "list",
            Self::PubSub => "pubsub",
            Self::Scripting => "scripting",
            Self::Server => "server",
            Self::Set => "set",
            Self::SortedSet => "sorted-set",
            Self::Stream => "stream",
            Self::String => "string",
            Self::Transactions => "transactions",
        }
    }

    /// The category of access rights, if the group is one.
    fn category(self) -> Option<&'static str> {
        match self {
            Self::Generic | Self::Server => None,
            Self::SortedSet => Some("sortedset"),
            Self::Transactions => Some("transaction"),
            group => Some(group.name()),
        }
    }
}
