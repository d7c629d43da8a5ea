//! What most users want of their code on a Redis: ready-made invariants.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Process, Setup, check::Check, runtime::try_with};
use crate::{history::Client, story::record::Seen, words::client};

/// What a [`Section`] promises, before its name.
pub(super) const AT_MOST_ONE: &str = "at most one process is in ";

/// A part of the code in which at most one process may be at a time, from [`Setup::mutex`].
#[derive(Clone)]
pub struct Section {
    name: Arc<str>,
    inside: Arc<Mutex<BTreeMap<Client, usize>>>,
}

/// A process is in a [`Section`] as long as this lives.
#[must_use = "a process leaves the section when this is dropped"]
pub struct Inside {
    section: Section,
    client: Client,
}

impl Section {
    /// Enters, until what this returns is dropped; a process that crashes leaves, too.
    pub fn enter(&self, me: &Process) -> Inside {
        let client = me.client;
        *self.inside().entry(client).or_default() += 1;
        self.crossed(client, true);
        Inside { section: self.clone(), client }
    }

    fn crossed(&self, who: Client, enters: bool) {
        let verb = if enters { "enters" } else { "leaves" };
        // After the run there is no story any more.
        try_with(|runtime| {
            runtime.note(|| format!("  {}: {verb} `{}`", client(who), self.name));
            runtime.mark(|| Seen::Crossed { client: who, section: self.name.clone(), enters });
        });
    }

    fn inside(&self) -> MutexGuard<'_, BTreeMap<Client, usize>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut inside = self.section.inside();
        if let Some(count) = inside.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&self.client);
            }
        }
        drop(inside);
        self.section.crossed(self.client, false);
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inside").field("section", &self.section.name).finish_non_exhaustive()
    }
}

/// Counts what must not happen twice, from [`Setup::at_most_once`].
#[derive(Clone, Debug)]
pub struct Once {
    name: Arc<str>,
    counts: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Once {
    /// It happens for `what`: call it where it takes effect, such as in a [`Process::remote`].
    pub fn happened(&self, what: impl Display) {
        let what = what.to_string();
        let name = &self.name;
        try_with(|runtime| runtime.note(|| format!("  `{name}` happens: {what}")));
        *self.counts().entry(what).or_default() += 1;
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Setup {
    /// At most one process may be in the section that this returns, at any time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use leasehold_sim::cluster::{Breach, Cluster};
    ///
    /// let nobody_asks = Cluster::new(|cluster| {
    ///     let section = cluster.mutex("job");
    ///     for _ in 0..2 {
    ///         let section = section.clone();
    ///         cluster.process(move |me| {
    ///             let section = section.clone();
    ///             async move {
    ///                 let _inside = section.enter(&me);
    ///                 me.sleep(Duration::from_millis(100)).await;
    ///             }
    ///         });
    ///     }
    /// });
    /// let failure = nobody_asks.report(10).failure.unwrap();
    /// assert_eq!(failure.breach(), &Breach::Always("at most one process is in `job`".into()));
    /// ```
    pub fn mutex(&mut self, name: impl Into<Arc<str>>) -> Section {
        let section = Section { name: name.into(), inside: Arc::default() };
        let watched = section.clone();
        let holds = move || watched.inside().len() < 2;
        self.always(format!("{AT_MOST_ONE}`{}`", section.name), holds);
        section
    }

    /// Whatever is reported to what this returns may happen once, and no more.
    pub fn at_most_once(&mut self, name: impl Into<Arc<str>>) -> Once {
        let once = Once { name: name.into(), counts: Arc::default() };
        let watched = once.clone();
        let holds = move || watched.counts().values().all(|&count| count < 2);
        self.always(format!("`{}` happens at most once", once.name), holds);
        once
    }

    /// No server ever has a key that matches the glob `pattern` and would stay for ever.
    pub fn no_key_without_ttl(&mut self, pattern: &str) {
        let (name, pattern) =
            (format!("no key `{pattern}` is without a time to live"), pattern.to_owned());
        self.always.push(Check::of_stored(name, move |stored| {
            !stored.any(&pattern, |entry| entry.expires_at_ms.is_none())
        }));
    }

    /// After everything has healed, there is a moment at which no server has a key that matches the
    /// glob `pattern`.
    pub fn eventually_gone(&mut self, pattern: &str) {
        let (name, pattern) = (format!("no key `{pattern}` is left"), pattern.to_owned());
        self.eventually.push(Check::of_stored(name, move |stored| !stored.any(&pattern, |_| true)));
    }
}
