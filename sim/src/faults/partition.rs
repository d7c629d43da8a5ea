//! A client's link to a server drops everything for a while, in one or both directions.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    history::Client,
    words::{client, pick, span},
    world::{Step, Watch},
};

/// Shorter than a time-out, longer than one, longer than a lease.
const LENGTHS: [u64; 3] = [100_000, 600_000, 1_600_000];

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Whether the link of `client` to server `node` is cut as it sends its request numbered `call`.
    #[inline]
    pub(crate) fn cut_link(&mut self, client: Client, node: u8, call: u32) {
        let choice = self.strikes(Fault::Partition, client, call, 10);
        if choice == 0 {
            return;
        }
        let (direction, length) = ((choice - 1) / 3, LENGTHS[(choice as usize - 1) % 3]);
        let length = self.lasts(Fault::Partition, client, call, length);
        let until = (self.core.now + length).min(self.core.plan.faults_end);
        let link = &mut self.host(client).links[usize::from(node)];
        if direction != 1 {
            link.requests_cut_until = until;
        }
        if direction != 0 {
            link.replies_cut_until = until;
        }
        self.struck(Fault::Partition, Some(client), choice, until);
    }

    #[inline]
    pub(crate) fn cuts_request(&mut self, client: Client, node: u8, call: u32) -> bool {
        let link = self.host(client).links[usize::from(node)];
        let cut = self.core.now < link.requests_cut_until;
        if cut {
            self.bit(Fault::Partition, Some(client), call);
        }
        cut
    }

    #[inline]
    pub(crate) fn cuts_reply(&mut self, client: Client, node: u8, call: u32) -> bool {
        let link = self.host(client).links[usize::from(node)];
        let cut = self.core.now < link.replies_cut_until;
        if cut {
            self.bit(Fault::Partition, Some(client), call);
        }
        cut
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    let call = site.occurrence;
    let who = format!("client {}", client(site.actor));
    format!("as it sends request {call}, {}", strike(&who, choice))
}

pub(crate) fn strike(who: &str, choice: u32) -> String {
    let way = match choice.saturating_sub(1) / 3 {
        0 => "all requests",
        1 => "all replies",
        _ => "everything",
    };
    let length = pick(&LENGTHS, choice.saturating_sub(1) % 3);
    format!("the link of {who} drops {way} for {}", span(length))
}

pub(crate) fn bite(who: &str, call: u32) -> Option<String> {
    Some(format!("request {call} of {who}, or the reply to it, is lost on the cut link"))
}
