//! A second copy of a request arrives later.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    words::{pick, request, span},
    world::{Message, Step, Watch, What},
};

/// From "with the first" to "when everybody has forgotten it". The marks must outlive the last.
const LATER: [u64; 7] = [0, 1_000, 20_000, 120_000, 600_000, 1_300_000, 2_800_000];

impl<C: Chance, W: Watch> Step<'_, C, W> {
    #[inline]
    pub(crate) fn send_copy_too(&mut self, message: &Message) {
        let (client, call) = (message.client, message.call);
        let choice = self.strikes(Fault::Duplicate, client, call, LATER.len() as u32);
        if choice > 0 {
            let later = self.lasts(Fault::Duplicate, client, call, LATER[choice as usize]);
            let at = self.core.now + self.core.plan.latency + later;
            // Once all faults are over, nothing of them is on its way any more.
            let at = at.min(self.core.plan.faults_end.max(self.core.now));
            let mut copy = Box::new(message.clone());
            copy.copy = 1;
            self.struck(Fault::Duplicate, Some(client), choice, at);
            self.core.queue.push(at, What::Request(copy));
        }
    }

    /// Tells that a copy was applied, which nobody had asked for.
    #[inline]
    pub(crate) fn copy_arrived(&mut self, message: &Message) {
        if message.copy > 0 && self.core.plan.faults.contains(Fault::Duplicate) {
            self.bit(Fault::Duplicate, Some(message.client), message.call);
        }
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    let later = match pick(&LATER, choice) {
        0 => "with the first".into(),
        later => format!("{} later", span(later)),
    };
    format!("a second copy of {} arrives {later}", request(site))
}

pub(crate) fn strike(who: &str, choice: u32) -> String {
    let later = span(pick(&LATER, choice));
    format!("a request of {who} is sent twice: the second copy arrives {later} later")
}

pub(crate) fn bite(who: &str, call: u32) -> Option<String> {
    Some(format!("the second copy of request {call} of {who} arrives"))
}
