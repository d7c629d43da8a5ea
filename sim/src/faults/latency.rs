//! A message takes much longer than usual.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    words::{message, pick, span},
    world::{Faults, NOTIFICATION, Observer, Step, System},
};

/// From a busy moment to longer than a lease.
const DELAYS: [u64; 7] = [0, 20_000, 100_000, 400_000, 900_000, 1_500_000, 2_500_000];

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Latency {}

impl<S: System> Faults<S> for Latency {
    #[inline]
    fn delay<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        wire: u8,
        number: u32,
    ) -> u64 {
        let choice = step.injects(Fault::Latency, wire, number, DELAYS.len() as u32);
        if choice == 0 {
            return 0;
        }
        let delay = step.lasts(Fault::Latency, wire, number, DELAYS[choice as usize]);
        let client = wire & 0x7f & !NOTIFICATION;
        step.injected(Fault::Latency, Some(client), choice, step.now() + delay);
        // A notification is no request.
        let request = if wire & NOTIFICATION == 0 { number / 2 } else { 0 };
        step.took_effect(Fault::Latency, Some(client), request);
        delay
    }
}

pub(crate) fn describe(address: Address, choice: u32) -> String {
    format!("{} takes {} longer than usual", message(address), span(pick(&DELAYS, choice)))
}

pub(crate) fn injection(who: &str, choice: u32) -> String {
    format!("a message of {who} takes {} longer than usual", span(pick(&DELAYS, choice)))
}

pub(crate) fn effect(_who: &str, _call: u32) -> Option<String> {
    None
}
