//! The server's wall clock, by which keys expire, jumps.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    words::{pick, request, span},
    world::{Message, Step, Watch},
};

/// How far the clock is off after the jump.
const OFFSETS: [i64; 5] = [0, 200_000, 2_500_000, -200_000, -2_500_000];

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Whether the clock jumps of the server at which `message` arrives.
    #[inline]
    pub(crate) fn jump_clock(&mut self, message: &Message) {
        let Message { client, node, call, .. } = *message;
        let choice = self.strikes(Fault::ServerClock, client, call, OFFSETS.len() as u32);
        if choice > 0 {
            // What has expired is gone by now: a server does not wait to be asked.
            let now = self.core.now;
            let server = &mut self.core.servers[usize::from(node)];
            server.redis.keyspace.purge(server.wall(now) / 1_000, usize::MAX);
            self.look(false);
            let server = &mut self.core.servers[usize::from(node)];
            server.clock_offset_us = OFFSETS[choice as usize];
            let timed = !server.redis.keyspace.is_empty();
            self.struck(Fault::ServerClock, None, choice, self.core.now);
            if timed {
                self.bit(Fault::ServerClock, None, call);
            }
            self.look_again();
        }
    }

    /// The clocks are set right.
    pub(crate) fn heal_server_clocks(&mut self) {
        let mut wrong = false;
        for server in &mut self.core.servers {
            wrong |= std::mem::take(&mut server.clock_offset_us) != 0;
        }
        if wrong {
            self.look_again();
        }
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    format!("as {} arrives, {}", request(site), strike("", choice))
}

pub(crate) fn strike(_who: &str, choice: u32) -> String {
    let offset = pick(&OFFSETS, choice);
    let way = if offset < 0 { "behind" } else { "ahead of" };
    format!("the server's clock jumps to {} {way} true time", span(offset.unsigned_abs()))
}

pub(crate) fn bite(_who: &str, _call: u32) -> Option<String> {
    None
}
