//! A client's process dies, and a new one starts without its memory.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    history::Client,
    subjects::Program,
    words::{client, pick, span},
    world::{Alarm, Step, Watch},
};

/// How long it takes until a new process is there.
const REBORN_AFTER: [u64; 3] = [0, 50_000, 1_200_000];

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Whether `client` dies instead of taking its next step.
    #[inline]
    pub(crate) fn crashes(&mut self, program: &mut Program, client: Client) -> bool {
        if !self.core.plan.faults.contains(Fault::ClientCrash) {
            return false;
        }
        let steps = self.host(client).steps;
        let choices = if program.may_crash() { 3 } else { 1 };
        let choice = self.strikes(Fault::ClientCrash, client, steps, choices);
        if choice == 0 {
            return false;
        }
        let gone = self.lasts(Fault::ClientCrash, client, steps, REBORN_AFTER[choice as usize]);
        let at = self.core.now + gone;
        let busy = program.is_busy(client);
        self.stop_watching(client);
        let host = self.host(client);
        host.forget_calls();
        host.life += 1;
        let (call, life) = (host.calls, host.life);
        let alarms = &mut self.core.alarms[usize::from(client)];
        *alarms = [u64::MAX; 2];
        alarms[Alarm::Work as usize] = at;
        self.struck(Fault::ClientCrash, Some(client), choice, at);
        if busy {
            self.bit(Fault::ClientCrash, Some(client), call);
        }
        program.reborn(self, client, life);
        true
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    let who = format!("client {}", client(site.actor));
    format!("at its step {}, {}", site.occurrence, strike(&who, choice))
}

pub(crate) fn strike(who: &str, choice: u32) -> String {
    let later = span(pick(&REBORN_AFTER, choice));
    format!("{who} dies, and {later} later a new process starts that remembers nothing")
}

pub(crate) fn bite(_who: &str, _call: u32) -> Option<String> {
    None
}
