//! A second copy of a request arrives later.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    words::{pick, request, span},
    world::{Faults, Message, Observer, Step, System},
};

/// From "with the first" to "when everybody has forgotten it". The marks must outlive the last.
const LATER: [u64; 7] = [0, 1_000, 20_000, 120_000, 600_000, 1_300_000, 2_800_000];

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Duplicate {}

impl<S: System> Faults<S> for Duplicate {
    #[inline]
    fn leaving<C: DecisionSource, W: Observer>(step: &mut Step<'_, S, C, W>, message: &Message<S>) {
        let (client, call) = (message.client, message.call);
        // Nothing is a copy of what was never sent.
        if step.cannot_connect(message) {
            return;
        }
        let choice = step.injects(Fault::Duplicate, client, call, LATER.len() as u32);
        if choice == 0 {
            return;
        }
        let later = step.lasts(Fault::Duplicate, client, call, LATER[choice as usize]);
        let at = step.now() + step.settings().latency + later;
        // Once all faults are over, nothing of them is on its way any more.
        let at = at.min(step.settings().faults_end.max(step.now()));
        step.injected(Fault::Duplicate, Some(client), choice, at);
        step.send_copy(message, at);
    }

    /// A copy was applied, which nobody had asked for.
    #[inline]
    fn arrived<C: DecisionSource, W: Observer>(step: &mut Step<'_, S, C, W>, message: &Message<S>) {
        if message.copy > 0 && !message.held_back {
            step.took_effect(Fault::Duplicate, Some(message.client), message.call);
        }
    }
}

pub(crate) fn describe(address: Address, choice: u32) -> String {
    let later = match pick(&LATER, choice) {
        0 => "with the first".into(),
        later => format!("{} later", span(later)),
    };
    format!("a second copy of {} arrives {later}", request(address))
}

pub(crate) fn injection(who: &str, choice: u32) -> String {
    let later = span(pick(&LATER, choice));
    format!("a request of {who} is sent twice: the second copy arrives {later} later")
}

pub(crate) fn effect(who: &str, call: u32) -> Option<String> {
    Some(format!("the second copy of request {call} of {who} arrives"))
}
