//! The call that a job awaits, from which its caller may go away.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use crate::history::Awaited;

/// What the caller does.
#[derive(Debug, Default)]
struct State {
    /// What it awaits, and how often it has begun to: once for each time that it had to be polled.
    awaits: Option<(Awaited, u32)>,
    /// Whether it awaits that no more.
    gone: bool,
}

/// The call that one job awaits.
#[derive(Debug, Default)]
pub(super) struct AwaitedCall(Mutex<State>);

impl AwaitedCall {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `call` comes to, unless the caller goes away from it.
    pub(super) async fn answer<T>(
        &self,
        what: Awaited,
        call: impl Future<Output = T>,
    ) -> Option<T> {
        let mut call = pin!(call);
        *self.state() = State::default();
        let answer = poll_fn(|context| {
            if self.state().gone {
                return Poll::Ready(None);
            }
            let polled = call.as_mut().poll(context);
            let mut state = self.state();
            let number = state.awaits.map_or(1, |(_, number)| number + 1);
            state.awaits = Some((what, number));
            polled.map(Some)
        });
        let answer = answer.await;
        *self.state() = State::default();
        answer
    }

    /// What the caller awaits, and which of its waits that is.
    pub(super) fn now(&self) -> Option<(Awaited, u32)> {
        self.state().awaits
    }

    /// The caller goes away from an extension or a release alone, once it is polled. Whether it
    /// awaits one.
    pub(super) fn leave(&self) -> bool {
        let mut state = self.state();
        state.gone = matches!(state.awaits, Some((Awaited::Extend | Awaited::Release, _)));
        state.gone
    }
}
