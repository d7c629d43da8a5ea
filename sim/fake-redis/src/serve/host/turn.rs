//! Commands of one client, run one behind another.

use std::sync::{MutexGuard, atomic::Ordering};

use bytes::Bytes;

use super::{
    Client, State,
    desk::{self, Supervised},
};
use crate::{Protocol, Resp, faults::Transport};

/// A client's turn: as long as it lasts, no other client's command is run. What its commands mean
/// for others is passed on at its end.
#[derive(Debug)]
pub(in crate::serve) struct Turn<'a> {
    client: &'a Client,
    state: MutexGuard<'a, State>,
}

impl Client {
    /// Waits for the client's turn; `None` if a fault may occur: see [`Client::perform`].
    pub(in crate::serve) fn turn(&self) -> Option<Turn<'_>> {
        let state = self.host.state();
        state.fault_state.are_only_records().then_some(Turn { client: self, state })
    }
}

impl Turn<'_> {
    /// Runs one command, and puts its replies in the place of those in `replies`. What the session
    /// speaks now, and whether it is authenticated; `None` if it is blocked.
    pub(in crate::serve) fn execute(
        &mut self,
        arguments: &[Bytes],
        replies: &mut Vec<Resp>,
    ) -> Option<(Protocol, bool)> {
        let Client { host, id, peer, .. } = self.client;
        let (now_us, elapsed_us) = host.clock.both();
        let calm = host.calm.load(Ordering::Relaxed);
        let State { server, fault_state, .. } = &mut *self.state;
        if !calm {
            fault_state.note_request(Transport::Resp, peer, now_us, &[arguments]);
        }
        let supervised = Supervised::new(&host.desk, server, arguments);
        let answered = server.execute_into(now_us, *id, arguments, replies);
        let may_be_long = supervised.is_some();
        drop(supervised);
        if !calm {
            // Of a short command it is the same, and a look at the clock costs time.
            let at_us = || if may_be_long { host.clock.elapsed_us() } else { elapsed_us };
            fault_state.note_writes(server, at_us);
        }
        answered.then(|| server.manners(*id))
    }

    /// Whether the turn has to end here, so that somebody hears in time of what was done.
    pub(in crate::serve) fn is_over(&self) -> bool {
        self.state.server.has_news() || desk::was_late()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.client.host.settle(&mut self.state);
    }
}
