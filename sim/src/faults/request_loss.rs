//! A request never arrives, and the client sees a broken connection.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    words::request,
    world::{Fate, Faults, Message, Observer, Step, System},
};

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum RequestLoss {}

impl<S: System> Faults<S> for RequestLoss {
    #[inline]
    fn request_fate<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) -> Fate {
        let (client, call) = (message.client, message.call);
        if step.injects(Fault::RequestLoss, client, call, 2) == 0 {
            return Fate::Arrives;
        }
        step.took_effect(Fault::RequestLoss, Some(client), call);
        Fate::Broken
    }
}

pub(crate) fn describe(address: Address, _choice: u32) -> String {
    format!("{} never arrives, and the connection breaks", request(address))
}

pub(crate) fn injection(who: &str, _choice: u32) -> String {
    format!("a request of {who} is lost")
}

pub(crate) fn effect(who: &str, call: u32) -> Option<String> {
    Some(format!("request {call} of {who} never arrives, and the connection breaks"))
}
