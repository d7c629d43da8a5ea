//! Grants, and the questions that are about a grant: over which connection they go.

use leasehold_core::{StoreError, lock::LockKeys};
use tokio::time::Instant;

#[cfg(feature = "cluster")]
use super::cluster;
use super::{
    grants::Over,
    link::{Answered, Link},
    target::Words,
};
use crate::answer::Answer;

impl Link {
    /// The same, of a command that may grant the lock under `keys`: also a Cluster says over which
    /// connection it came.
    pub(super) async fn send_grant(
        &self,
        words: &Words,
        keys: &LockKeys,
        until: Instant,
    ) -> Result<Answered, StoreError> {
        #[cfg(feature = "cluster")]
        if self.target().is_cluster() {
            return cluster::send_grant(self, words, keys, until).await;
        }
        let _ = keys;
        self.send(words, until).await
    }

    /// Sends a `WAIT` for the lock under `keys` over that very connection, or for nothing if it is
    /// there no more.
    pub(super) async fn send_over(
        &self,
        over: &Over,
        wait: &Words,
        keys: &LockKeys,
        until: Instant,
    ) -> Option<Result<Answer, StoreError>> {
        let live = self.live()?;
        let _ = keys;
        match over {
            Over::Link(generation) if live.generation == *generation => {
                Some(self.exchange(live, wait, until).await)
            }
            Over::Link(_) => None,
            #[cfg(feature = "cluster")]
            Over::Node(node) => cluster::send_over(self, live, node, wait, keys, until).await,
        }
    }
}
