//! A clock whose type is not known.

use alloc::{boxed::Box, sync::Arc};
use core::{future::Future, pin::Pin};

use super::{Clock, Instant, Task};

/// Any clock, behind a shared pointer. The handles hold their clock so.
#[derive(Clone)]
pub(crate) struct DynClock(Arc<dyn Erased + Send + Sync>);

impl DynClock {
    pub(crate) fn new(clock: impl Clock + Send + Sync + 'static) -> Self {
        Self(Arc::new(clock))
    }
}

/// [`Clock`] with boxed futures.
trait Erased {
    fn now(&self) -> Instant;
    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    fn spawn(&self, task: Task) -> bool;
}

impl<C: Clock> Erased for C {
    fn now(&self) -> Instant {
        Clock::now(self)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(Clock::sleep_until(self, deadline))
    }

    fn spawn(&self, task: Task) -> bool {
        Clock::spawn(self, task)
    }
}

impl Clock for DynClock {
    fn now(&self) -> Instant {
        self.0.now()
    }

    /// Allocates when it is first polled: most calls are answered before.
    async fn sleep_until(&self, deadline: Instant) {
        self.0.sleep_until(deadline).await;
    }

    fn spawn(&self, task: Task) -> bool {
        self.0.spawn(task)
    }
}
