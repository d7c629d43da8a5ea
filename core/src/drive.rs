//! The one thin loop between a machine and the world.

use core::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use crate::{
    machine::{Action, Event, Machine},
    store::{Cause, Store, StoreError},
    time::{Clock, Instant},
};

/// Runs `machine` from `request` to its outcome.
///
/// # Cancellation
///
/// Dropping the future leaves the machine where it was: it knows what was in flight, and cleans up
/// when it is next asked for something.
pub async fn drive<M: Machine>(
    machine: &mut M,
    store: &impl Store,
    clock: &impl Clock,
    request: M::Request,
) -> M::Outcome {
    drive_observed(machine, store, clock, request, |_| ()).await
}

/// [`drive`], with a look at the machine after each step.
pub(crate) async fn drive_observed<M: Machine>(
    machine: &mut M,
    store: &impl Store,
    clock: &impl Clock,
    request: M::Request,
    observe: impl Fn(&M),
) -> M::Outcome {
    let mut action = machine.step(clock.now(), Event::Start(request));
    loop {
        observe(machine);
        let event = match action {
            Action::Call { command, give_up_at } => {
                Event::Replied(before(give_up_at, clock, store.execute(command)).await)
            }
            Action::SleepUntil(deadline) => {
                clock.sleep_until(deadline).await;
                Event::Woke
            }
            Action::Done(outcome) => return outcome,
        };
        action = machine.step(clock.now(), event);
    }
}

async fn before<T>(
    deadline: Instant,
    clock: &impl Clock,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let give_up = async {
        clock.sleep_until(deadline).await;
        Err(StoreError::Unknown(Cause::TimedOut))
    };
    race(call, give_up).await
}

/// The output of whichever is ready first; `first` wins a tie, so that the order is deterministic.
pub(crate) async fn race<T>(first: impl Future<Output = T>, second: impl Future<Output = T>) -> T {
    let (mut first, mut second) = (pin!(first), pin!(second));
    poll_fn(|context| match first.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(output),
        Poll::Pending => second.as_mut().poll(context),
    })
    .await
}
