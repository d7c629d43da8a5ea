//! A client's clock runs fast or slow within the stated drift, and its wall clock jumps.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    history::Client,
    words::{client, pick, span},
    world::{Deferred, Faults, Observer, Step, System},
};

/// Within the 1 % that the lock allows for by default.
const RATES_PPM: [i32; 5] = [0, 1_000, -1_000, 9_900, -9_900];
const WALL_JUMPS: [i64; 3] = [0, 10_000_000, -10_000_000];

/// At every so-manieth step, the wall clock may jump.
const STEPS: u32 = 16;

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum ClientClock {}

impl<S: System> Faults<S> for ClientClock {
    /// Sets how wrong the clock of `client` is.
    fn starting<C: DecisionSource, W: Observer>(step: &mut Step<'_, S, C, W>, client: Client) {
        let rates = RATES_PPM.len() as u32;
        let choice = step.injects(Fault::ClientClock, client, 0, rates);
        step.host(client).clock.rate_ppm = RATES_PPM[choice as usize];
        if choice > 0 {
            step.injected(Fault::ClientClock, Some(client), choice, u64::MAX);
            // Every alarm of this run will ring at another time than it would have.
            step.took_effect(Fault::ClientClock, Some(client), 0);
        }
    }

    /// Whether the wall clock of `client` jumps before its next step. It affects only who reads it:
    /// our machines are on the monotonic clock.
    #[inline]
    fn stepping<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        _program: &mut S::Program,
        client: Client,
        _what: Deferred,
    ) -> bool {
        let steps = step.host(client).steps;
        if !step.may_occur(Fault::ClientClock) || !steps.is_multiple_of(STEPS) {
            return false;
        }
        let choice = step.injects(Fault::ClientClock, client, steps, WALL_JUMPS.len() as u32);
        if choice > 0 {
            let host = step.host(client);
            host.clock.wall_offset_us = WALL_JUMPS[choice as usize];
            let call = host.calls;
            if step.settings().reads_wall_clock {
                step.took_effect(Fault::ClientClock, Some(client), call);
            }
        }
        false
    }
}

pub(crate) fn describe(address: Address, choice: u32) -> String {
    let who = format!("client {}", client(address.actor));
    if address.occurrence == 0 {
        return injection(&who, choice);
    }
    let jump = pick(&WALL_JUMPS, choice);
    let way = if jump < 0 { "behind" } else { "ahead" };
    format!("the wall clock of {who} is {} {way}", span(jump.unsigned_abs()))
}

pub(crate) fn injection(who: &str, choice: u32) -> String {
    let rate = pick(&RATES_PPM, choice);
    let way = if rate < 0 { "slow" } else { "fast" };
    format!("the clock of {who} runs {} % {way}", f64::from(rate.unsigned_abs()) / 10_000.0)
}

pub(crate) fn effect(_who: &str, _call: u32) -> Option<String> {
    None
}
