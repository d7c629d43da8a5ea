//! A request is applied, but its reply is lost with the connection.

use super::Fault;
use crate::{
    decide::{DecisionSource, Address},
    words::request,
    world::{Fate, Faults, Message, Step, System, Observer},
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
}

pub(crate) fn describe(address: Address, _choice: u32) -> String {
    format!("the reply to {} is lost with the connection", request(address))
}

pub(crate) fn injection(who: &str, _choice: u32) -> String {
    format!("a reply to {who} is lost")
}

pub(crate) fn effect(who: &str, call: u32) -> Option<String> {
    Some(format!("the reply to request {call} of {who} is lost with the connection"))
}
