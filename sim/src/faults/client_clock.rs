//! A client's clock runs fast or slow within the stated drift, and its wall clock jumps.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    history::Client,
    words::{client, pick, span},
    world::{Deferred, Faults, Step, System, Watch},
};

/// Within the 1 % that the lock allows for by default.
const RATES_PPM: [i32; 5] = [0, 1_000, -1_000, 9_900, -9_900];
const WALL_JUMPS: [i64; 3] = [0, 10_000_000, -10_000_000];

/// At every so-manieth step, the wall clock may jump.
const STEPS: u32 = 16;

/// The fault of this file.
#[derive(Clone, Copy, Debug)]
pub(super) enum ClientClock {}

impl<S: System> Faults<S> for ClientClock {
    /// Sets how wrong the clock of `client` is.
    fn starting<C: Chance, W: Watch>(step: &mut Step<'_, S, C, W>, client: Client) {
        let rates = RATES_PPM.len() as u32;
        let choice = step.strikes(Fault::ClientClock, client, 0, rates);
        step.host(client).clock.rate_ppm = RATES_PPM[choice as usize];
        if choice > 0 {
            step.struck(Fault::ClientClock, Some(client), choice, u64::MAX);
            // Every alarm of this run will ring at another time than it would have.
            step.bit(Fault::ClientClock, Some(client), 0);
        }
    }

    /// Whether the wall clock of `client` jumps before its next step. It bites only whom reads it:
    /// our machines are on the monotonic clock.
    #[inline]
    fn stepping<C: Chance, W: Watch>(
        step: &mut Step<'_, S, C, W>,
        _program: &mut S::Program,
        client: Client,
        _what: Deferred,
    ) -> bool {
        let steps = step.host(client).steps;
        if !step.settings().faults.contains(Fault::ClientClock) || !steps.is_multiple_of(STEPS) {
            return false;
        }
        let choice = step.strikes(Fault::ClientClock, client, steps, WALL_JUMPS.len() as u32);
        if choice > 0 {
            let host = step.host(client);
            host.clock.wall_offset_us = WALL_JUMPS[choice as usize];
            let call = host.calls;
            if step.settings().reads_wall_clock {
                step.bit(Fault::ClientClock, Some(client), call);
            }
        }
        false
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
