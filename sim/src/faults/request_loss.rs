//! A request never arrives, and the client sees a broken connection.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    words::request,
    world::{Fate, Faults, Message, Step, System, Watch},
};

/// The fault of this file.
#[derive(Clone, Copy, Debug)]
pub(super) enum RequestLoss {}

impl<S: System> Faults<S> for RequestLoss {
    #[inline]
    fn request_fate<C: Chance, W: Watch>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) -> Fate {
        let (client, call) = (message.client, message.call);
        if step.strikes(Fault::RequestLoss, client, call, 2) == 0 {
            return Fate::Arrives;
        }
        step.bit(Fault::RequestLoss, Some(client), call);
        Fate::Broken
    }
}

pub(crate) fn describe(site: Site, _choice: u32) -> String {
    format!("{} never arrives, and the connection breaks", request(site))
}

pub(crate) fn strike(who: &str, _choice: u32) -> String {
    format!("a request of {who} is lost")
}

pub(crate) fn bite(who: &str, call: u32) -> Option<String> {
    Some(format!("request {call} of {who} never arrives, and the connection breaks"))
}
