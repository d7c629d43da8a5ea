//! The waiting room of one lock: its waiters in this process, first come, first served. Who was
//! served keeps the first place until the lock is given back or the lease is over.

use alloc::{collections::VecDeque, sync::Arc};
use core::{
    future::poll_fn,
    mem,
    task::{Poll, Waker},
};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{
    drive::race,
    time::{Clock, Instant},
    watch::Watch,
};

/// How long the first in line may go without being heard of beyond what it has announced, before
/// the next one passes it: its task was not polled, though not dropped either.
const GRACE_US: u64 = 1_000_000;

/// Only the first in line asks the store, so a release wakes one and not all.
#[derive(Default)]
pub(super) struct Room {
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    next: u64,
    waiters: VecDeque<Waiter>,
    /// The first one's, while nobody is first; it goes from one to the next.
    watch: Option<Watch>,
}

struct Waiter {
    number: u64,
    /// Once it is first: when it counts as dead. Counted from the first look of another.
    stale_at: Option<Instant>,
    /// Whether it has the lock, until it is stale.
    holds: bool,
    /// Whether it should look at the line again.
    called: bool,
    waker: Option<Waker>,
}

/// A place in line. Dropping it leaves the line.
pub(super) struct Place {
    room: Arc<Room>,
    number: u64,
}

/// A place that is first in line.
pub(super) struct Turn<C> {
    place: Place,
    clock: C,
}

/// Who was first all the time that another waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// The holder of a lease that lasts until then.
    Holder(Instant),
    /// One that waits itself.
    Waiter,
}

impl<C: Clock> Turn<C> {
    /// Waits to be first in line, until `until`.
    pub(super) async fn wait(room: Arc<Room>, clock: C, until: Instant) -> Result<Self, First> {
        let number = room.line().join();
        let mut place = Place { room, number };
        while let Some((first, stale_at)) = place.behind(clock.now()) {
            if clock.now() >= until {
                return Err(first);
            }
            let called =
                poll_fn(|context| place.room.line().poll_called(place.number, context.waker()));
            race(called, clock.sleep_until(stale_at.min(until))).await;
        }
        Ok(Self { place, clock })
    }

    /// Announces that the next sign of life comes within `micros`.
    pub(super) fn is_alive_for(&self, micros: u64) {
        let until = self.clock.now().plus_micros(micros.saturating_add(GRACE_US));
        self.place.room.line().announce(self.place.number, until, false);
    }

    /// The watch of those who were first before.
    pub(super) fn take_watch(&self) -> Option<Watch> {
        self.place.room.line().watch.take()
    }

    /// Leaves the watch to the next in line.
    pub(super) fn leave_watch(&self, watch: Option<Watch>) {
        let mut line = self.place.room.line();
        if line.waiters.len() > 1 && line.watch.is_none() {
            line.watch = watch;
        }
    }

    /// The place, to be kept while the lock is held.
    pub(super) fn into_place(self) -> Place {
        self.place
    }
}

impl Place {
    /// Announces that the lock is held until then, and the next in line need not look before.
    pub(super) fn holds_until(&self, deadline: Instant) {
        self.room.line().announce(self.number, deadline, true);
    }

    /// Who is first, and when to look again, if that is another and alive.
    fn behind(&mut self, now: Instant) -> Option<(First, Instant)> {
        let mut line = self.room.line();
        line.pass_the_dead(now, self.number);
        if !line.waiters.iter().any(|waiter| waiter.number == self.number) {
            // Passed as dead while it was not polled.
            self.number = line.join();
            line.pass_the_dead(now, self.number);
        }
        let first = line.waiters.front().filter(|first| first.number != self.number)?;
        let stale_at = first.stale_at.unwrap_or(now);
        Some((if first.holds { First::Holder(stale_at) } else { First::Waiter }, stale_at))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.line().leave(self.number);
    }
}

impl Room {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn join(&mut self) -> u64 {
        self.next += 1;
        let number = self.next;
        let waiter = Waiter { number, stale_at: None, holds: false, called: false, waker: None };
        self.waiters.push_back(waiter);
        number
    }

    fn poll_called(&mut self, number: u64, waker: &Waker) -> Poll<()> {
        match self.waiters.iter().position(|waiter| waiter.number == number) {
            Some(index @ 1..) if !mem::take(&mut self.waiters[index].called) => {
                self.waiters[index].waker = Some(waker.clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }

    fn announce(&mut self, number: u64, stale_at: Instant, holds: bool) {
        if let Some(first) = self.waiters.front_mut().filter(|first| first.number == number) {
            (first.stale_at, first.holds) = (Some(stale_at), holds);
        }
    }

    fn pass_the_dead(&mut self, now: Instant, me: u64) {
        while let Some(first) = self.waiters.front_mut().filter(|first| first.number != me) {
            if now < *first.stale_at.get_or_insert_with(|| now.plus_micros(GRACE_US)) {
                return;
            }
            let dead = first.number;
            self.leave(dead);
        }
    }

    fn leave(&mut self, number: u64) {
        self.waiters.retain(|waiter| waiter.number != number);
        if self.waiters.is_empty() {
            // Nobody is left to use it.
            self.watch = None;
        }
        // The first, whose turn it is, and the one who passes it if it does not take it.
        for waiter in self.waiters.iter_mut().take(2) {
            waiter.called = true;
            if let Some(waker) = waiter.waker.take() {
                waker.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use core::{pin::pin, time::Duration};

    use super::*;
    use crate::{time::TokioClock, watch::Hints};

    const SECOND: u64 = 1_000_000;

    struct Silent;

    impl Hints for Silent {
        fn poll_released(&mut self, _context: &mut core::task::Context<'_>) -> Poll<bool> {
            Poll::Pending
        }
    }

    async fn turn_within(
        room: &Arc<Room>,
        clock: TokioClock,
        secs: u64,
    ) -> Result<Turn<TokioClock>, First> {
        Turn::wait(room.clone(), clock, clock.now().plus_micros(secs * SECOND)).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_is_not_passed_before_the_time_that_it_announced() {
        let (room, clock) = (Arc::new(Room::default()), TokioClock::new());
        let first = turn_within(&room, clock, 1).await.unwrap();
        first.is_alive_for(10 * SECOND);
        assert_eq!(turn_within(&room, clock, 9).await.map(drop), Err(First::Waiter));
        assert!(turn_within(&room, clock, 9).await.is_ok(), "it is silent for too long");
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_goes_to_the_next_in_line_and_to_nobody_else() {
        let (room, clock) = (Arc::new(Room::default()), TokioClock::new());
        let first = turn_within(&room, clock, 1).await.unwrap();
        first.leave_watch(Some(Watch::new(Silent)));
        assert!(first.take_watch().is_none(), "nobody is behind it");
        let mut behind = pin!(turn_within(&room, clock, 60));
        assert!(tokio::time::timeout(Duration::ZERO, &mut behind).await.is_err());
        first.leave_watch(Some(Watch::new(Silent)));
        drop(first);
        let second = behind.await.unwrap();
        assert!(second.take_watch().is_some());
        assert!(second.take_watch().is_none(), "there is one");
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_the_lock_keeps_the_place_until_it_is_over() {
        let (room, clock) = (Arc::new(Room::default()), TokioClock::new());
        let holder = turn_within(&room, clock, 1).await.unwrap().into_place();
        let deadline = clock.now().plus_micros(30 * SECOND);
        holder.holds_until(deadline);
        assert_eq!(turn_within(&room, clock, 9).await.map(drop), Err(First::Holder(deadline)));
        assert!(turn_within(&room, clock, 60).await.is_ok());
        assert_eq!(clock.now(), deadline);
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_that_does_not_take_its_turn_is_passed_soon_after_a_long_lease() {
        let (room, clock) = (Arc::new(Room::default()), TokioClock::new());
        let holder = turn_within(&room, clock, 1).await.unwrap().into_place();
        holder.holds_until(clock.now().plus_micros(30 * SECOND));
        let mut dead = pin!(turn_within(&room, clock, 60));
        assert!(tokio::time::timeout(Duration::ZERO, &mut dead).await.is_err());
        let given_back = async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            drop(holder);
        };
        let (third, ()) = tokio::join!(turn_within(&room, clock, 60), given_back);
        assert!(third.is_ok());
        assert_eq!(clock.now(), Instant::ORIGIN.plus_micros(5 * SECOND + GRACE_US));
    }

    #[test]
    fn who_leaves_the_middle_of_the_line_is_no_sign_of_life_of_the_first() {
        let mut line = Line::default();
        let [_, second, third] = [(); 3].map(|()| line.join());
        line.pass_the_dead(Instant::ORIGIN, third);
        line.leave(second);
        line.pass_the_dead(Instant::from_micros(GRACE_US), third);
        assert_eq!(line.waiters.front().map(|first| first.number), Some(third));
    }
}
