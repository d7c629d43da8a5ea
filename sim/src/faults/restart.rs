//! The server restarts without its data.

use super::Fault;
use crate::{
    decide::Chance,
    history::Client,
    world::{Step, Watch},
};

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Whether the server restarts as request `call` of `client` arrives.
    #[inline]
    pub(crate) fn restart(&mut self, client: Client, call: u32) {
        if self.strikes(Fault::Restart, client, call, 2) == 1 {
            let lost = self.core.server.redis.keyspace.len();
            self.core.server.redis.restart();
            self.struck(Fault::Restart, None, 1, self.core.now);
            if lost > 0 {
                self.bit(Fault::Restart, None, call);
            }
            self.look(false);
        }
    }
}
