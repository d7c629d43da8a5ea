//! A client's clock runs fast or slow within the stated drift, and its wall clock jumps.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    history::Client,
    words::{client, pick, span},
    world::{Step, Watch},
};

/// Within the 1 % that the lock allows for by default.
const RATES_PPM: [i32; 5] = [0, 1_000, -1_000, 9_900, -9_900];
const WALL_JUMPS: [i64; 3] = [0, 10_000_000, -10_000_000];

/// At every so-manieth step, the wall clock may jump.
const STEPS: u32 = 16;

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Sets how wrong the clock of `client` is.
    pub(crate) fn skew_clock(&mut self, client: Client) {
        let rates = RATES_PPM.len() as u32;
        let choice = self.strikes(Fault::ClientClock, client, 0, rates);
        self.host(client).clock.rate_ppm = RATES_PPM[choice as usize];
        if choice > 0 {
            self.struck(Fault::ClientClock, Some(client), choice, u64::MAX);
            // Every alarm of this run will ring at another time than it would have.
            self.bit(Fault::ClientClock, Some(client), 0);
        }
    }

    /// Whether the wall clock of `client` jumps before its next step. It bites only whom reads it:
    /// our machines are on the monotonic clock.
    #[inline]
    pub(crate) fn jump_wall_clock(&mut self, client: Client) {
        let steps = self.host(client).steps;
        if !self.core.plan.faults.contains(Fault::ClientClock) || !steps.is_multiple_of(STEPS) {
            return;
        }
        let choice = self.strikes(Fault::ClientClock, client, steps, WALL_JUMPS.len() as u32);
        if choice > 0 {
            let host = self.host(client);
            host.clock.wall_offset_us = WALL_JUMPS[choice as usize];
            let call = host.calls;
            if self.core.plan.reads_wall_clock {
                self.bit(Fault::ClientClock, Some(client), call);
            }
        }
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    let who = format!("client {}", client(site.actor));
    if site.occurrence == 0 {
        return strike(&who, choice);
    }
    let jump = pick(&WALL_JUMPS, choice);
    let way = if jump < 0 { "behind" } else { "ahead" };
    format!("the wall clock of {who} is {} {way}", span(jump.unsigned_abs()))
}

pub(crate) fn strike(who: &str, choice: u32) -> String {
    let rate = pick(&RATES_PPM, choice);
    let way = if rate < 0 { "slow" } else { "fast" };
    format!("the clock of {who} runs {} % {way}", f64::from(rate.unsigned_abs()) / 10_000.0)
}

pub(crate) fn bite(_who: &str, _call: u32) -> Option<String> {
    None
}
