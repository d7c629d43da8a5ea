//! A request is applied, but its reply is lost with the connection.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    history::Client,
    words::{message, request},
    world::{Fate, Faults, Message, NOTIFICATION, Observer, Step, System},
};

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum ReplyLoss {}

impl<S: System> Faults<S> for ReplyLoss {
    #[inline]
    fn reply_fate<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) -> Fate {
        let (client, call) = (message.client, message.call);
        if step.injects(Fault::ReplyLoss, client, call, 2) == 0 {
            return Fate::Arrives;
        }
        step.took_effect(Fault::ReplyLoss, Some(client), call);
        Fate::Broken
    }

    fn loses_notification<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        client: Client,
        _node: u8,
        number: u32,
    ) -> bool {
        lost_notification(step, Fault::ReplyLoss, client, number)
    }
}

/// Whether a decision of `fault` has a notification vanish.
pub(super) fn lost_notification<S: System, C: DecisionSource, W: Observer>(
    step: &mut Step<'_, S, C, W>,
    fault: Fault,
    client: Client,
    number: u32,
) -> bool {
    let lost = step.injects(fault, client | NOTIFICATION, number, 2) != 0;
    if lost {
        step.took_effect(fault, Some(client), 0);
    }
    lost
}

/// Whether a decision is about a notification.
pub(super) fn is_of_notification(address: Address) -> bool {
    address.actor & NOTIFICATION != 0
}

pub(crate) fn describe(address: Address, _choice: u32) -> String {
    if is_of_notification(address) {
        return format!("{} is lost with its connection", message(address));
    }
    format!("the reply to {} is lost with the connection", request(address))
}

pub(crate) fn injection(who: &str, _choice: u32) -> String {
    format!("a reply to {who} is lost")
}

pub(crate) fn effect(who: &str, call: u32) -> Option<String> {
    Some(match call {
        0 => format!("a notification of {who} is lost with its connection"),
        _ => format!("the reply to request {call} of {who} is lost with the connection"),
    })
}
