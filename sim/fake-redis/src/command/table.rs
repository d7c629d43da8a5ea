//! The table of commands: looking one up.

use std::iter;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::{Body, Flags, Group, NotFound, Spec, help};

/// Every command. Who runs commands is handed it, so that what a command is need not know which
/// there are.
#[derive(Debug)]
pub(crate) struct Table {
    rows: FxHashMap<&'static [u8], &'static Spec>,
    /// The rows of subcommands, by their container.
    subcommands: FxHashMap<&'static str, Vec<Spec>>,
}

/// The subcommand of every container that says what the others do.
const HELP: Spec = Spec::new(Group::Server, "help", 2, help, Flags::LOADING.union(Flags::STALE))
    .about("1.0.0", "Prints this.");

impl Table {
    pub(crate) fn new(families: &'static [&'static [Spec]]) -> Self {
        let rows = || families.iter().flat_map(|rows| rows.iter());
        let subcommands = rows().filter_map(|row| {
            let Body::Subcommands(inner) = row.body else { return None };
            let within = |inner: Spec| Spec { container: Some(row.name), ..inner };
            Some((row.name, inner.iter().cloned().chain([HELP]).map(within).collect()))
        });
        Self {
            rows: rows().map(|row| (row.name.as_bytes(), row)).collect(),
            subcommands: subcommands.collect(),
        }
    }

    /// The row for these arguments, checked for their number. It has code: a container's row is
    /// never returned, but that of its subcommand.
    pub(crate) fn find(&'static self, arguments: &[Bytes]) -> Result<&'static Spec, NotFound> {
        let row = self.find_by_name(arguments)?;
        if row.takes(arguments.len()) {
            return Ok(row);
        }
        Err(NotFound::Arity(row.full_name(row.container)))
    }

    /// The same, whatever the number of arguments.
    pub(crate) fn find_by_name(
        &'static self,
        arguments: &[Bytes],
    ) -> Result<&'static Spec, NotFound> {
        let spec = arguments.first().and_then(|name| self.by_name(name));
        let spec = spec.ok_or(NotFound::Unknown)?;
        let Some(subcommands) = self.subcommands.get(spec.name) else { return Ok(spec) };
        let alone = arguments.len() == 1;
        let nameless = (spec.arity == -1).then_some(&[][..]);
        let name = arguments.get(1).map(|name| &**name).or(nameless);
        let name = name.ok_or_else(|| NotFound::Arity(spec.name.into()))?;
        let same = |row: &&Spec| row.name.as_bytes().eq_ignore_ascii_case(name);
        let mut rows = subcommands.iter().filter(|row| alone || !row.name.is_empty());
        rows.find(same).ok_or(NotFound::Subcommand)
    }

    pub(crate) fn by_name(&self, name: &[u8]) -> Option<&'static Spec> {
        let mut lower = [0; 32];
        let lower = lower.get_mut(..name.len())?;
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        self.rows.get(&*lower).copied()
    }

    /// Every command, in the order of the names.
    pub(crate) fn all(&self) -> Vec<&'static Spec> {
        let mut all: Vec<_> = self.rows.values().copied().collect();
        all.sort_unstable_by_key(|row| row.name);
        all
    }

    /// The same, each before its subcommands, which come with its name.
    pub(crate) fn all_with_subcommands(
        &self,
    ) -> impl Iterator<Item = (&'static Spec, Option<&'static str>)> {
        self.all().into_iter().flat_map(|row| {
            let inner = row.subcommands().map(|inner| (inner, Some(row.name)));
            iter::once((row, None)).chain(inner)
        })
    }
}
