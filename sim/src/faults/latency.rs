//! A message takes much longer than usual.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    words::{message, pick, span},
    world::{Step, Watch},
};

/// From a busy moment to longer than a lease.
const DELAYS: [u64; 7] = [0, 20_000, 100_000, 400_000, 900_000, 1_500_000, 2_500_000];

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// How much longer the message numbered `number` of `wire` takes.
    #[inline]
    pub(crate) fn late(&mut self, wire: u8, number: u32) -> u64 {
        let choice = self.strikes(Fault::Latency, wire, number, DELAYS.len() as u32);
        let mut delay = DELAYS[choice as usize];
        if choice > 0 {
            delay = self.lasts(Fault::Latency, wire, number, delay);
            let client = wire & 0x7f;
            self.struck(Fault::Latency, Some(client), choice, self.core.now + delay);
            self.bit(Fault::Latency, Some(client), number / 2);
        }
        delay
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    format!("{} takes {} longer than usual", message(site), span(pick(&DELAYS, choice)))
}

pub(crate) fn strike(who: &str, choice: u32) -> String {
    format!("a message of {who} takes {} longer than usual", span(pick(&DELAYS, choice)))
}

pub(crate) fn bite(_who: &str, _call: u32) -> Option<String> {
    None
}
