//! The server restarts without its data.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    words::request,
    world::{Message, Step, Watch},
};
use leasehold_fake_redis::{Keyspace, Redis, Replica};

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Whether the server restarts as `message` arrives.
    #[inline]
    pub(crate) fn restart(&mut self, message: &Message) {
        let Message { client, node, call, .. } = *message;
        // However fast, it takes longer than an instant: else two lives of the server could make
        // one fence.
        if self.core.applied_at[usize::from(node)] == self.core.now {
            return;
        }
        if self.strikes(Fault::Restart, client, call, 2) == 1 {
            let server = &mut self.core.servers[usize::from(node)];
            let lost = server.redis.keyspace.len();
            server.redis = Redis::default();
            if let Some(replica) = &mut server.replica {
                // A replica follows its primary, also into nothing.
                *replica = Replica::default();
                server.redis.keyspace.watch_changes(true);
            }
            if let Some(copies) = &mut server.copies {
                copies.follow(&Keyspace::default(), self.core.now);
                server.redis.keyspace.watch_changes(true);
            }
            if self.core.plan.absence > 0 {
                let back = self.core.now + self.core.plan.absence;
                server.electing_until = server.electing_until.max(back);
            }
            self.struck(Fault::Restart, None, 1, self.core.now);
            if lost > 0 {
                self.bit(Fault::Restart, None, call);
            }
            self.look(false);
        }
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    format!("as {} arrives, {}", request(site), strike("", choice))
}

pub(crate) fn strike(_who: &str, _choice: u32) -> String {
    "the server restarts without its data".into()
}

pub(crate) fn bite(_who: &str, _call: u32) -> Option<String> {
    None
}
