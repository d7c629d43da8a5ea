//! The numbered databases of one server. The selected one is [`Redis::keyspace`]; the others wait
//! here.

use std::{collections::BTreeMap, iter, mem};

use bytes::Bytes;

use super::{
    Change, Entry, Keyspace, Redis,
    command::{Refusal, integer_of_32_bits},
    keyspace::Past,
};

/// How many databases there are, as by default.
const COUNT: usize = 16;

/// The databases that are not selected, if there is anything in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Databases {
    selected: usize,
    others: BTreeMap<usize, Keyspace>,
}

impl Databases {
    pub(super) fn selected(&self) -> usize {
        self.selected
    }
}

impl Redis {
    /// Selects the database on which the next commands work; whether there is one of that number.
    /// Costs a comparison if it is selected already.
    pub fn select(&mut self, database: usize) -> bool {
        if database == self.databases.selected {
            return true;
        }
        if database >= COUNT {
            return false;
        }
        let next = self.databases.others.remove(&database).unwrap_or_else(|| {
            let mut new = Keyspace::default();
            new.watch_changes(self.keyspace.is_recorded());
            new
        });
        let mut last = mem::replace(&mut self.keyspace, next);
        self.keyspace.past.0 = last.past.0.take();
        if let Some(past) = &mut self.keyspace.past.0 {
            past.select(database);
        }
        let number = mem::replace(&mut self.databases.selected, database);
        if !last.is_blank() {
            self.databases.others.insert(number, last);
        }
        true
    }

    /// Selects the database that a client names; its number.
    pub(super) fn select_named(&mut self, name: &[u8]) -> Result<usize, Refusal> {
        let database = usize::try_from(integer_of_32_bits(name)?).ok();
        let database = database.filter(|database| self.select(*database));
        database.ok_or_else(|| Refusal("ERR DB index is out of range".into()))
    }

    /// The number of the selected database.
    #[must_use]
    pub fn selected(&self) -> usize {
        self.databases.selected
    }

    /// The databases that hold something, with their numbers.
    pub fn databases(&self) -> impl Iterator<Item = (usize, &Keyspace)> {
        let mut all: Vec<_> = self.databases.others.iter().map(|(at, keys)| (*at, keys)).collect();
        all.push((self.databases.selected, &self.keyspace));
        all.sort_unstable_by_key(|(number, _)| *number);
        all.into_iter().filter(|(_, keys)| !keys.is_empty())
    }

    /// Runs `work` on another database than the selected one; `None` if there is none of that
    /// number.
    pub(super) fn with_database<R>(
        &mut self,
        database: usize,
        work: impl FnOnce(&mut Self) -> R,
    ) -> Option<R> {
        let selected = self.selected();
        if !self.select(database) {
            return None;
        }
        let result = work(self);
        self.select(selected);
        Some(result)
    }

    /// The keys of one database for which there was a call, if there was any, and its number.
    pub(super) fn take_called(&mut self) -> Option<(usize, Vec<Bytes>)> {
        let selected = (self.databases.selected, self.keyspace.take_called());
        let others = self.databases.others.iter_mut();
        let others = others.map(|(number, keys)| (*number, keys.take_called()));
        iter::once(selected).chain(others).find(|(_, called)| !called.is_empty())
    }

    /// Removes every key of every database.
    pub(super) fn clear(&mut self) {
        self.keyspace.clear();
        self.each_other(|_, keys| keys.clear());
        self.databases.others.retain(|_, keys| !keys.is_blank());
    }

    /// Puts these databases in the place of all.
    pub(super) fn replace(&mut self, databases: impl IntoIterator<Item = (usize, Keyspace)>) {
        self.clear();
        for (number, keys) in databases {
            self.with_database(number, |redis| redis.keyspace.replace_keys(keys));
        }
    }

    /// Starts or stops to collect changes, in every database.
    pub(super) fn watch_changes(&mut self, watch: bool) {
        self.keyspace.watch_changes(watch);
        self.databases.others.values_mut().for_each(|keys| keys.watch_changes(watch));
    }

    /// The changes since the last call, with the numbers of their databases.
    pub(super) fn take_changes(&mut self) -> Vec<(usize, Vec<Change>)> {
        let others = self.databases.others.iter_mut();
        let others = others.map(|(number, keys)| (*number, keys.take_changes()));
        let selected = (self.databases.selected, self.keyspace.take_changes());
        others.chain([selected]).filter(|(_, changes)| !changes.is_empty()).collect()
    }

    /// The place of now in the past, if it is kept.
    pub(super) fn place_in_past(&self) -> u64 {
        self.keyspace.past.0.as_ref().map_or(0, |past| past.place())
    }

    /// Goes on with a past, in which all that is behind a place was taken back.
    pub(super) fn go_on(&mut self, past: Option<Box<Past>>, place: u64) {
        self.keyspace.past.0 = past;
        let selected = self.selected();
        if let Some(past) = &mut self.keyspace.past.0 {
            past.select(selected);
            past.forget_since(place);
        }
    }

    /// Exchanges the keys of two databases; whether both exist.
    pub(super) fn swap_databases(&mut self, first: usize, second: usize) -> bool {
        if first >= COUNT || second >= COUNT {
            return false;
        }
        if first == second {
            return true;
        }
        let selected = self.selected();
        self.select(first);
        let mut keys = mem::take(&mut self.keyspace);
        self.keyspace.watch_changes(keys.is_recorded());
        self.keyspace.past.0 = keys.past.0.take();
        self.select(second);
        if let Some(mut past) = self.keyspace.past.0.take() {
            self.keyspace.note_exchange(&mut past, &keys);
            past.select(first);
            keys.note_exchange(&mut past, &self.keyspace);
            keys.past.0 = Some(past);
        }
        self.keyspace.swap_keys(&mut keys);
        let past = keys.past.0.take();
        self.select(first);
        self.keyspace = keys;
        self.keyspace.past.0 = past;
        self.select(selected);
        true
    }

    /// Removes keys that have expired, at most so many per database, and tells `note` of each; how
    /// many.
    pub(super) fn purge_noting(
        &mut self,
        now_us: u64,
        at_most: usize,
        mut note: impl FnMut(usize, &Bytes, &Entry),
    ) -> usize {
        let mut removed = 0;
        if !self.databases.others.is_empty() {
            self.each_other(|number, keys| {
                let note = |key: &Bytes, entry: &Entry| note(number, key, entry);
                removed += keys.purge_noting(now_us / 1_000, at_most, note);
            });
        }
        let selected = self.databases.selected;
        let note = |key: &Bytes, entry: &Entry| note(selected, key, entry);
        removed + self.keyspace.purge_noting(now_us / 1_000, at_most, note)
    }

    /// Works on each database that is not selected.
    fn each_other(&mut self, mut work: impl FnMut(usize, &mut Keyspace)) {
        let mut past = self.keyspace.past.0.take();
        for (number, keys) in &mut self.databases.others {
            if let Some(past) = &mut past {
                past.select(*number);
            }
            keys.past.0 = past;
            work(*number, keys);
            past = keys.past.0.take();
        }
        if let Some(past) = &mut past {
            past.select(self.databases.selected);
        }
        self.keyspace.past.0 = past;
    }
}
