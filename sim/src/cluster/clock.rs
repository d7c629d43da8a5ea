//! A process's own clock.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use leasehold_core::{Clock, Instant};

use super::runtime::{try_with, with};
use crate::history::Client;

/// The monotonic clock of a simulated process, from [`Process::clock`](super::Process::clock).
///
/// Time goes on only between the steps of the processes. The fault `client-clock` lets it run fast
/// or slow; while a process stands still, its sleeps are over late.
///
/// # Panics
///
/// Whatever uses it outside of its simulation.
#[derive(Clone, Debug)]
pub struct SimClock {
    pub(super) client: Client,
}

impl Clock for SimClock {
    fn now(&self) -> Instant {
        with(|runtime| {
            runtime.burn(self.client);
            runtime.local(self.client)
        })
    }

    fn sleep_until(&self, deadline: Instant) -> impl Future<Output = ()> + Send {
        Sleep { client: self.client, deadline, timer: None, in_turn: false }
    }
}

/// Completes once the clock shows `deadline`.
pub(super) struct Sleep {
    client: Client,
    deadline: Instant,
    timer: Option<u64>,
    /// Whether it takes a step also if the time has passed.
    in_turn: bool,
}

impl Sleep {
    /// Completes in a step of its own, at the same time.
    pub(super) fn turn(client: Client) -> Self {
        Self { client, deadline: Instant::ORIGIN, timer: None, in_turn: true }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (client, deadline) = (self.client, self.deadline);
        with(|runtime| {
            runtime.burn(client);
            let over = match self.timer {
                None => !self.in_turn && runtime.local(client) >= deadline,
                // A timer that rang is not there any more.
                Some(timer) => !runtime.place(client).mailbox.sleeps(deadline, timer),
            };
            if over {
                return Poll::Ready(());
            }
            runtime.trace((client, deadline));
            let mailbox = &mut runtime.place(client).mailbox;
            self.timer = Some(mailbox.sleep(deadline, self.timer, context.waker()));
            Poll::Pending
        })
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            let deadline = self.deadline;
            let gone =
                try_with(|runtime| runtime.place(self.client).mailbox.stop_sleep(deadline, timer));
            drop(gone);
        }
    }
}
