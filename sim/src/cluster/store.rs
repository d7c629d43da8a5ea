//! The store of a simulated process.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use leasehold_core::{Cause, Command, Reply, Store, StoreError, Tokens};

use super::runtime::{Answer, Order, try_with, with};
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
    fn execute(&self, command: Command) -> impl Future<Output = Result<Reply, StoreError>> + Send {
        Call { client: self.client, stage: Stage::New(Box::new(command)) }
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

/// A command under way.
struct Call {
    client: Client,
    stage: Stage,
}

enum Stage {
    New(Box<Command>),
    Sent(u64),
    Over,
}

impl Future for Call {
    type Output = Result<Reply, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let client = self.client;
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::New(command) => {
                let send = |wait| Order::Call { wait, command: *command };
                let wait = with(|runtime| runtime.order(client, context.waker(), send));
                self.stage = Stage::Sent(wait);
                Poll::Pending
            }
            Stage::Sent(wait) => {
                match with(|runtime| runtime.answer_to(client, wait, context.waker())) {
                    Some(Answer::Store(result)) => Poll::Ready(result),
                    Some(Answer::Remote(_) | Answer::Choice(_)) => {
                        unreachable!("a store answers commands")
                    }
                    None => {
                        self.stage = Stage::Sent(wait);
                        Poll::Pending
                    }
                }
            }
            // Polled after its end, which is allowed to do anything but this.
            Stage::Over => Poll::Ready(Err(StoreError::Unknown(Cause::Disconnected("".into())))),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Stage::Sent(wait) = self.stage {
            try_with(|runtime| runtime.forget(self.client, wait));
        }
    }
}
