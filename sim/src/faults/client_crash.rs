//! A client's process dies, and a new one starts without its memory.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    history::Client,
    words::{client, pick, span},
    world::{Deferred, Faults, Observer, Program, Step, System},
};

/// How long it takes until a new process is there.
const REBORN_AFTER: [u64; 3] = [0, 50_000, 1_200_000];

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum ClientCrash {}

impl<S: System> Faults<S> for ClientCrash {
    #[inline]
    fn stepping<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        program: &mut S::Program,
        client: Client,
        _what: Deferred,
    ) -> bool {
        if !step.may_occur(Fault::ClientCrash) {
            return false;
        }
        let steps = step.host(client).steps;
        let choices = if program.may_crash() { 3 } else { 1 };
        let choice = step.injects(Fault::ClientCrash, client, steps, choices);
        if choice == 0 {
            return false;
        }
        let gone = step.lasts(Fault::ClientCrash, client, steps, REBORN_AFTER[choice as usize]);
        let at = step.now() + gone;
        let (busy, call) = (program.is_busy(client), step.host(client).calls);
        let life = step.start_anew(client, at);
        step.injected(Fault::ClientCrash, Some(client), choice, at);
        if busy {
            step.took_effect(Fault::ClientCrash, Some(client), call);
        }
        program.restarted(step, client, life);
        true
    }
}

pub(crate) fn describe(address: Address, choice: u32) -> String {
    let who = format!("client {}", client(address.actor));
    format!("at its step {}, {}", address.occurrence, injection(&who, choice))
}

pub(crate) fn injection(who: &str, choice: u32) -> String {
    let later = span(pick(&REBORN_AFTER, choice));
    format!("{who} dies, and {later} later a new process starts that remembers nothing")
}

pub(crate) fn effect(_who: &str, _call: u32) -> Option<String> {
    None
}
