//! Going back to an earlier state.

use super::Host;
use crate::Snapshot;

impl Host {
    /// Takes down every key and the Unix time of the server's clock, for [`Host::restore`]. Must not be
    /// called by what a script that is late lets run, see [`Host::with_server`].
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
        self.with_server(|server| {
            let unix_us = u64::try_from(snapshot.time().as_micros()).unwrap_or(u64::MAX);
            self.clock.set_unix_us(unix_us);
            server.restore(self.clock.now_us(), snapshot);
        });
    }
}
