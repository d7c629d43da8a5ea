//! A client's process stands still, at any point between two of its steps.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    history::Client,
    words::{client, pick, span},
    world::{Deferred, Step, Watch},
};

/// Shorter than a lease, longer than one, longer than two.
const LENGTHS: [u64; 4] = [0, 300_000, 1_200_000, 2_400_000];

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Whether `client` stands still, so that `what` has to wait.
    #[inline]
    pub(crate) fn paused(&mut self, client: Client, what: Deferred) -> bool {
        if !self.core.plan.faults.contains(Fault::ClientPause) {
            return false;
        }
        let (now, host) = (self.core.now, self.host(client));
        let (steps, call) = (host.steps, host.calls);
        if host.paused_until <= now {
            let choice = self.strikes(Fault::ClientPause, client, steps, LENGTHS.len() as u32);
            if choice == 0 {
                return false;
            }
            let length = self.lasts(Fault::ClientPause, client, steps, LENGTHS[choice as usize]);
            let until = (now + length).min(self.core.plan.faults_end);
            self.host(client).paused_until = until;
            self.struck(Fault::ClientPause, Some(client), choice, until);
        }
        if let Deferred::Alarm(alarm) = what {
            let until = self.host(client).paused_until;
            self.core.alarms[usize::from(client)][alarm as usize] = until;
        }
        self.bit(Fault::ClientPause, Some(client), call);
        true
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    let who = format!("client {}", client(site.actor));
    format!("at its step {}, {}", site.occurrence, strike(&who, choice))
}

pub(crate) fn strike(who: &str, choice: u32) -> String {
    format!("{who} stands still for {}", span(pick(&LENGTHS, choice)))
}

pub(crate) fn bite(_who: &str, _call: u32) -> Option<String> {
    None
}
