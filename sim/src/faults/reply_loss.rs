//! A request is applied, but its reply is lost with the connection.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    words::request,
    world::{Fate, Faults, Message, Step, System, Watch},
};

/// The fault of this file.
#[derive(Clone, Copy, Debug)]
pub(super) enum ReplyLoss {}

impl<S: System> Faults<S> for ReplyLoss {
    #[inline]
    fn reply_fate<C: Chance, W: Watch>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) -> Fate {
        let (client, call) = (message.client, message.call);
        if step.strikes(Fault::ReplyLoss, client, call, 2) == 0 {
            return Fate::Arrives;
        }
        step.bit(Fault::ReplyLoss, Some(client), call);
        Fate::Broken
    }
}

pub(crate) fn describe(site: Site, _choice: u32) -> String {
    format!("the reply to {} is lost with the connection", request(site))
}

pub(crate) fn strike(who: &str, _choice: u32) -> String {
    format!("a reply to {who} is lost")
}

pub(crate) fn bite(who: &str, call: u32) -> Option<String> {
    Some(format!("the reply to request {call} of {who} is lost with the connection"))
}
