//! What carries a client's commands sends one again, since the reply to it was lost, and tells the
//! last answer.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    report::words::{pick, request, span},
    world::{Message, Step, Watch, What},
};

/// How long after the loss the command is sent again: once the connection is seen to be broken, or
/// once a time-out is over that is shorter than the client's own.
const AFTER: [u64; 3] = [0, 2_000, 60_000];

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Whether the reply to what was just applied is lost, and the command is sent again. What is
    /// sent again is not so a third time.
    #[inline]
    pub(crate) fn resends(&mut self, message: &Message) -> bool {
        let (client, call) = (message.client, message.call);
        if message.resent {
            return false;
        }
        let choice = self.strikes(Fault::Resend, client, call, AFTER.len() as u32);
        if choice == 0 {
            return false;
        }
        let after = self.lasts(Fault::Resend, client, call, AFTER[choice as usize]);
        let at = self.core.now + 2 * self.core.plan.latency + after;
        let mut again = Box::new(message.clone());
        again.resent = true;
        self.struck(Fault::Resend, Some(client), choice, at);
        self.core.queue.push(at, What::Request(again));
        true
    }

    /// Tells that a command arrives again whose answer is still awaited.
    #[inline]
    pub(crate) fn arrives_again(&mut self, message: &Message) {
        let (client, call) = (message.client, message.call);
        if message.resent && self.host(client).awaits(call) {
            self.bit(Fault::Resend, Some(client), call);
        }
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    let later = span(pick(&AFTER, choice));
    format!("the reply to {} is lost, and {later} later it is sent again", request(site))
}

pub(crate) fn strike(who: &str, choice: u32) -> String {
    let later = span(pick(&AFTER, choice));
    format!("a reply to {who} is lost, and its request is sent again {later} later")
}

pub(crate) fn bite(who: &str, call: u32) -> Option<String> {
    Some(format!("request {call} of {who} arrives again, and its last answer counts"))
}
