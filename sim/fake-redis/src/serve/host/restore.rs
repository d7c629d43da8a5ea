//! Going back to an earlier state.

use std::sync::atomic::Ordering;

use super::{Host, fault_state::FaultState};
use crate::Snapshot;

impl Host {
    /// Takes down every key and the Unix time of the server's clock, for [`Host::restore`].
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let now_us = self.clock.now_us();
        self.state().server.snapshot(now_us)
    }

    /// Goes back to a snapshot, of this host or of another: to its keys, and to its Unix time, from
    /// which the clock goes on at its pace. Connections, scripts, faults and records stay as they are,
    /// and what waits by the elapsed time goes on waiting. To whoever watches a key, it has changed; to
    /// faults, it is a write that a failover or a stale read may lack.
    pub fn restore(&self, snapshot: &Snapshot) {
        let signed = |micros: u128| i64::try_from(micros).unwrap_or(i64::MAX);
        self.with_server(|server| {
            let unix_us = signed(snapshot.time().as_micros());
            self.clock.jump(unix_us.saturating_sub(signed(self.clock.now_us().into())));
            server.restore(self.clock.now_us(), snapshot);
        });
        let now_us = self.clock.now_us();
        self.with_fault_state(|state, server| state.observe_change(server, now_us));
    }

    /// Puts the host back to where it began: no keys, no faults, nothing that a failover or a stale
    /// read could go back to, and a clock that shows the time of this machine at the first pace.
    /// Connections, scripts, settings and users stay; requests that a fault delays or holds, and copies
    /// that have not come yet, are not executed any more.
    pub fn reset(&self) {
        self.resets.fetch_add(1, Ordering::Relaxed);
        self.flush();
        self.with_fault_state(FaultState::reset);
        self.clock.restart();
        self.sooner.notify_one();
    }

    /// How often it was reset: what was sent before a reset and waits is not executed after it.
    pub(in crate::serve) fn resets(&self) -> u64 {
        self.resets.load(Ordering::Relaxed)
    }
}
