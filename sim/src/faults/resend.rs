//! What carries a client's commands sends one again, since the reply to it was lost, and tells the
//! last answer.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    words::{pick, request, span},
    world::{Faults, Message, Observer, Step, System},
};

/// How long after the loss the command is sent again: once the connection is seen to be broken, or
/// once a time-out is over that is shorter than the client's own.
const AFTER: [u64; 3] = [0, 2_000, 60_000];

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Resend {}

impl<S: System> Faults<S> for Resend {
    #[inline]
    fn resending<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) -> bool {
        let (client, call) = (message.client, message.call);
        if message.resent {
            return false;
        }
        let choice = step.injects(Fault::Resend, client, call, AFTER.len() as u32);
        if choice == 0 {
            return false;
        }
        let after = step.lasts(Fault::Resend, client, call, AFTER[choice as usize]);
        let at = step.now() + 2 * step.settings().latency + after;
        step.injected(Fault::Resend, Some(client), choice, at);
        step.send_again(message, at);
        true
    }

    /// A command arrives again whose answer is still awaited.
    #[inline]
    fn arrived<C: DecisionSource, W: Observer>(step: &mut Step<'_, S, C, W>, message: &Message<S>) {
        let (client, call) = (message.client, message.call);
        if message.resent && step.host(client).awaits(call) {
            step.took_effect(Fault::Resend, Some(client), call);
        }
    }
}

pub(crate) fn describe(address: Address, choice: u32) -> String {
    let later = span(pick(&AFTER, choice));
    format!("the reply to {} is lost, and {later} later it is sent again", request(address))
}

pub(crate) fn injection(who: &str, choice: u32) -> String {
    let later = span(pick(&AFTER, choice));
    format!("a reply to {who} is lost, and its request is sent again {later} later")
}

pub(crate) fn effect(who: &str, call: u32) -> Option<String> {
    Some(format!("request {call} of {who} arrives again, and its last answer counts"))
}
