//! The store of a simulated process.

use leasehold_core::{Command, Reply, Store, StoreError, Tokens};

use super::{
    ask::ask,
    runtime::{Answer, Order, with},
};
use crate::{history::Client, words::client};

/// The cluster's Redis, as a simulated process reaches it, from
/// [`Process::store`](super::Process::store): over a network that can delay, lose and repeat.
///
/// It waits for a reply for ever, as a connection without a time-out does; the handles of
/// [`leasehold_core`] have their own.
///
/// # Panics
///
/// Whatever uses it outside of its simulation.
#[derive(Clone, Debug)]
pub struct SimStore {
    pub(super) client: Client,
}

impl Store for SimStore {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        match ask(self.client, |wait| Order::Call { wait, command }).await {
            Answer::Store(result) => result,
            Answer::Remote(_) | Answer::Redis(_) | Answer::Choice(_) => {
                unreachable!("a store answers commands")
            }
        }
    }
}

impl SimStore {
    /// The tokens of a new handle, of an owner that no other handle has. They depend on nothing but
    /// the run, so that it can be repeated.
    ///
    /// # Panics
    ///
    /// Outside of its simulation.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        with(|runtime| {
            let place = runtime.place(self.client);
            place.handles += 1;
            let (life, handle) = (place.life, place.handles);
            Tokens::of_owner(format!("{}-{life}-{handle}", client(self.client)))
        })
    }
}
