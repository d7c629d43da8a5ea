//! What a server keeps beside its data and its connections: settings that change what commands do,
//! and what it counts.
//!
//! It belongs to a [`Server`](super::Server), which lends it to the data while a command runs. A
//! [`Redis`] alone has none, and pays nothing for it.

mod effects;
mod events;
mod limits;
mod memory;
mod observe;
mod overheard;
mod scripts;
mod slow_log;
mod statistics;

use std::sync::Arc;

use bytes::Bytes;

pub(crate) use events::Classes;
pub(crate) use limits::Limits;
pub(crate) use memory::{BASE, Memory, Policy, count, size_of};
pub(crate) use observe::perform;
pub(crate) use overheard::Overheard;
pub(crate) use scripts::TOO_FEW_REPLICAS;
pub(crate) use slow_log::{SlowCommand, SlowLog};
pub(crate) use statistics::{CommandCounts, Statistics};

use super::{
    PURGED_PER_COMMAND, Redis,
    acl::{Denied, User},
};

/// See the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Service {
    /// Which events of keys are published.
    pub(crate) classes: Classes,
    pub(crate) limits: Limits,
    pub(crate) memory: Memory,
    pub(crate) statistics: Statistics,
    pub(crate) slow_log: SlowLog,
    /// Whether keys that have expired go only when somebody asks for them.
    pub(crate) lazy_expiry: bool,
    /// Why writes are refused, also those of scripts, if they are.
    pub(crate) too_few_replicas: bool,
    /// For whom the command runs, if not everything is allowed there.
    pub(crate) user: Option<Arc<User>>,
    /// What a script was denied.
    pub(crate) denied: Vec<Denied>,
    /// Whether it runs for somebody who expects the answers of Upstash.
    pub(crate) upstash: bool,
    /// Whether the running command began beyond the limit of memory.
    pub(crate) out_of_memory: bool,
}

impl Service {
    /// What a replica is lent.
    #[cfg(feature = "faults")]
    pub(crate) fn for_upstash() -> Self {
        Self { upstash: true, ..Self::default() }
    }
}

impl Redis {
    /// The limits of small forms: those that were set, or those of a stock server.
    pub(crate) fn limits(&self) -> Limits {
        self.service.as_ref().map_or_else(Limits::default, |service| service.limits)
    }

    /// Whether the command runs for somebody who expects the answers of Upstash.
    pub(crate) fn is_upstash(&self) -> bool {
        self.service.as_ref().is_some_and(|service| service.upstash)
    }

    /// Removes keys that have expired, a bounded number per database; how many.
    pub(crate) fn purge(&mut self, now_us: u64) -> usize {
        let Some(service) = &self.service else {
            return self.purge_noting(now_us, PURGED_PER_COMMAND, |_, _, _| {});
        };
        if service.lazy_expiry {
            return 0;
        }
        let noted = service.classes.contains(Classes::EXPIRED);
        let counted = service.memory.is_counted();
        let (mut gone, mut bytes) = (Vec::new(), 0);
        let removed = self.purge_noting(now_us, PURGED_PER_COMMAND, |database, key, entry| {
            bytes += if counted { size_of(key, entry) } else { 0 };
            if noted {
                gone.push((database, key.clone()));
            }
        });
        self.note_expired(removed, bytes);
        for (database, key) in gone {
            self.notify(Classes::EXPIRED, "expired", &key, database);
        }
        removed
    }

    /// Removes those of `keys` that have expired, for a server that removes none by itself.
    fn expire_asked(&mut self, now_us: u64, keys: &[&Bytes]) {
        for key in keys {
            let expired = self.keyspace.held(key).is_some_and(|it| it.is_expired(now_us / 1_000));
            if expired && let Some(entry) = self.keyspace.take(key) {
                self.note_expired(1, size_of(key, &entry));
                self.notify(Classes::EXPIRED, "expired", key, self.selected());
            }
        }
    }

    fn note_expired(&mut self, number: usize, bytes: u64) {
        if let Some(service) = &mut self.service {
            service.statistics.expired += number as u64;
            service.memory.subtract(bytes);
        }
    }

    /// Publishes what happened to a key, if somebody has asked for this class of events.
    fn notify(&mut self, class: Classes, event: &'static str, key: &Bytes, database: usize) {
        let classes = self.service.as_ref().map_or(Classes::empty(), |service| service.classes);
        if !classes.contains(class) {
            return;
        }
        if classes.contains(Classes::KEYSPACE) {
            let channel = [format!("__keyspace@{database}__:").as_bytes(), key].concat();
            self.pubsub.publish(&channel.into(), &Bytes::from_static(event.as_bytes()));
        }
        if classes.contains(Classes::KEYEVENT) {
            let channel = format!("__keyevent@{database}__:{event}");
            self.pubsub.publish(&channel.into(), key);
        }
    }
}
