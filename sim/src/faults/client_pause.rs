//! A client's process stands still, at any point between two of its steps.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    history::Client,
    words::{client, pick, span},
    world::{Deferred, Faults, Observer, Step, System},
};

/// Shorter than a lease, longer than one, longer than two.
const LENGTHS: [u64; 4] = [0, 300_000, 1_200_000, 2_400_000];

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum ClientPause {}

impl<S: System> Faults<S> for ClientPause {
    #[inline]
    fn stepping<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        _program: &mut S::Program,
        client: Client,
        what: Deferred,
    ) -> bool {
        if !step.may_occur(Fault::ClientPause) {
            return false;
        }
        let (now, host) = (step.now(), step.host(client));
        let (steps, call) = (host.steps, host.calls);
        if host.paused_until <= now {
            let choice = step.injects(Fault::ClientPause, client, steps, LENGTHS.len() as u32);
            if choice == 0 {
                return false;
            }
            let length = step.lasts(Fault::ClientPause, client, steps, LENGTHS[choice as usize]);
            let until = (now + length).min(step.settings().faults_end);
            step.host(client).paused_until = until;
            step.injected(Fault::ClientPause, Some(client), choice, until);
        }
        let until = step.host(client).paused_until;
        step.defer(client, what, until);
        step.took_effect(Fault::ClientPause, Some(client), call);
        true
    }
}

pub(crate) fn describe(address: Address, choice: u32) -> String {
    let who = format!("client {}", client(address.actor));
    format!("at its step {}, {}", address.occurrence, injection(&who, choice))
}

pub(crate) fn injection(who: &str, choice: u32) -> String {
    format!("{who} stands still for {}", span(pick(&LENGTHS, choice)))
}

pub(crate) fn effect(_who: &str, _call: u32) -> Option<String> {
    None
}
