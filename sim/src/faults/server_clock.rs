//! The server's wall clock, by which keys expire, jumps.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    words::{pick, request, span},
    world::{Disturbed, Faults, Message, Observer, Step, System},
};

/// How far the clock is off after the jump.
const OFFSETS: [i64; 5] = [0, 200_000, 2_500_000, -200_000, -2_500_000];

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum ServerClock {}

impl<S: System> Faults<S> for ServerClock {
    fn reaching<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) {
        let Message { client, node, call, .. } = *message;
        let choice = step.injects(Fault::ServerClock, client, call, OFFSETS.len() as u32);
        if choice == 0 {
            return;
        }
        // What has expired is gone by now: a server does not wait to be asked.
        let now = step.now();
        let server = step.server(node);
        server.redis.keyspace.purge(server.wall(now) / 1_000, usize::MAX);
        S::disturbed(step, Disturbed::Data);
        let server = step.server(node);
        server.clock_offset_us = OFFSETS[choice as usize];
        let timed = !server.redis.keyspace.is_empty();
        step.injected(Fault::ServerClock, None, choice, now);
        if timed {
            step.took_effect(Fault::ServerClock, None, call);
        }
        S::disturbed(step, Disturbed::Clock);
    }

    /// The clocks are set right.
    fn healing<C: DecisionSource, W: Observer>(step: &mut Step<'_, S, C, W>) {
        if step.set_server_clocks_right() {
            S::disturbed(step, Disturbed::Clock);
        }
    }
}

pub(crate) fn describe(address: Address, choice: u32) -> String {
    format!("as {} arrives, {}", request(address), injection("", choice))
}

pub(crate) fn injection(_who: &str, choice: u32) -> String {
    let offset = pick(&OFFSETS, choice);
    let way = if offset < 0 { "behind" } else { "ahead of" };
    format!("the server's clock jumps to {} {way} true time", span(offset.unsigned_abs()))
}

pub(crate) fn effect(_who: &str, _call: u32) -> Option<String> {
    None
}
