//! A caller drops the future it awaits, or the whole handle.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    history::Client,
    words::{client, span},
    world::{Step, Watch, What},
};

/// How a caller goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cancelled {
    /// It stays, for now.
    No,
    /// It drops the future at once.
    Future,
    /// It drops the future and the handle at once.
    Handle,
}

/// In how many ways a caller goes away, or not, that may drop its handle, too,
pub(crate) const WITH_HANDLE: u32 = 4;

/// and one that may not.
pub(crate) const FUTURE_ONLY: u32 = 3;

/// Long enough for a request to arrive, too short for its reply.
const SOON: u64 = 1_500;

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Whether the caller goes away at this await, in one of so many ways.
    #[inline]
    pub(crate) fn cancels(&mut self, client: Client, ways: u32) -> Cancelled {
        if !self.core.plan.faults.contains(Fault::Cancellation) {
            return Cancelled::No;
        }
        let host = self.host(client);
        host.awaits_number += 1;
        let (awaiting, call) = (host.awaits_number, host.calls);
        let choice = self.strikes(Fault::Cancellation, client, awaiting, ways);
        if choice == 0 {
            return Cancelled::No;
        }
        if choice == 2 {
            let at = self.core.now + SOON;
            self.core.queue.push(at, What::Cancel { client, awaiting });
            return Cancelled::No;
        }
        self.struck(Fault::Cancellation, Some(client), choice, self.core.now);
        self.bit(Fault::Cancellation, Some(client), call);
        if choice == 1 { Cancelled::Future } else { Cancelled::Handle }
    }

    /// The caller goes away in the middle of an await.
    pub(crate) fn cancelled_in_flight(&mut self, client: Client) {
        let call = self.host(client).calls;
        self.struck(Fault::Cancellation, Some(client), 2, self.core.now);
        self.bit(Fault::Cancellation, Some(client), call);
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    format!(
        "at its await {}, the caller in client {} {}",
        site.occurrence,
        client(site.actor),
        deed(choice)
    )
}

pub(crate) fn strike(who: &str, choice: u32) -> String {
    format!("the caller in {who} {}", deed(choice))
}

pub(crate) fn bite(_who: &str, _call: u32) -> Option<String> {
    None
}

fn deed(choice: u32) -> String {
    match choice {
        1 => "drops the future as soon as it waits".into(),
        2 => format!("drops the future {} after it began to wait", span(SOON)),
        _ => "drops the future and the lock with it".into(),
    }
}
