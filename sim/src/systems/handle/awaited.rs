//! The call that a job awaits, from which its caller may go away alone.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};

/// What the caller does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing that can be dropped by itself.
    #[default]
    Busy,
    /// Awaits a call.
    Awaits,
    /// Awaits it no more.
    Gone,
}

/// The call that one job awaits, if it can be dropped by itself.
#[derive(Debug, Default)]
pub(super) struct AwaitedCall(Mutex<State>);

impl AwaitedCall {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `call` comes to, unless the caller goes away from it.
    pub(super) async fn answer<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        let mut call = pin!(call);
        *self.state() = State::Awaits;
        let answer = poll_fn(|context| {
            if *self.state() == State::Gone {
                return Poll::Ready(None);
            }
            call.as_mut().poll(context).map(Some)
        });
        let answer = answer.await;
        *self.state() = State::Busy;
        answer
    }

    /// The caller goes away from the call, once it is polled. Whether there is one.
    pub(super) fn leave(&self) -> bool {
        let mut state = self.state();
        let awaits = *state == State::Awaits;
        if awaits {
            *state = State::Gone;
        }
        awaits
    }
}
