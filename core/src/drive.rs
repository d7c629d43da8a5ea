//! The one thin loop between a machine and the world.

use core::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use crate::{
    machine::{Action, Event, Machine},
    store::{Cause, Store, StoreError},
    subscription::Subscription,
    telemetry::Calls,
    time::{Clock, Instant},
};
#[cfg(feature = "std")]
use crate::{
    pool::Backend,
    store::DynStore,
    time::{DynClock, Task},
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
    drive_observed(machine, store, clock, request, &mut None, |_| ()).await
}

/// What a handle drives its machines with.
#[cfg(feature = "std")]
#[derive(Clone)]
pub(crate) struct Driver {
    pub(crate) store: DynStore,
    pub(crate) clock: DynClock,
}

#[cfg(feature = "std")]
impl Backend for Driver {
    fn spawn(&self, task: Task) {
        self.clock.spawn(task);
    }
}

/// [`drive`], with a subscription that may be in place already and outlives the request, and with
/// a look at the machine after each step.
pub(crate) async fn drive_observed<M: Machine>(
    machine: &mut M,
    store: &impl Store,
    clock: &impl Clock,
    request: M::Request,
    subscription: &mut Option<Subscription>,
    observe: impl Fn(&M),
) -> M::Outcome {
    let mut calls = Calls::default();
    let mut action = machine.step(clock.now(), Event::Start(request));
    loop {
        observe(machine);
        let event = match action {
            Action::Call { command, give_up_at } => {
                let call = calls.begin(&command);
                let result = before(give_up_at, clock, store.execute(command)).await;
                call.end(&result);
                Event::Replied(result)
            }
            Action::SleepUntil(deadline) => sleep(clock, deadline, subscription.as_mut()).await,
            Action::Subscribe { keys, give_up_at } => {
                let give_up = async {
                    clock.sleep_until(give_up_at).await;
                    None
                };
                *subscription = race(store.subscribe(&keys), give_up).await;
                Event::Subscribed(subscription.is_some())
            }
            Action::Done(outcome) => return outcome,
        };
        action = machine.step(clock.now(), event);
    }
}

async fn sleep<R>(
    clock: &impl Clock,
    deadline: Instant,
    subscription: Option<&mut Subscription>,
) -> Event<R> {
    let sleep = async {
        clock.sleep_until(deadline).await;
        Event::Woke
    };
    let Some(subscription) = subscription else { return sleep.await };
    let notification = async {
        subscription.released().await;
        Event::Notified
    };
    race(notification, sleep).await
}

pub(crate) async fn before<T>(
    deadline: Instant,
    clock: &impl Clock,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let give_up = async {
        clock.sleep_until(deadline).await;
        Err(StoreError::Unknown(Cause::TIMED_OUT))
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
