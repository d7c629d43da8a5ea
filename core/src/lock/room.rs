//! The waiting room of one lock: its waiters in this process, first come, first served.

use alloc::{collections::VecDeque, sync::Arc};
use core::{
    future::poll_fn,
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
    /// Once it is first: when it counts as dead.
    stale_at: Instant,
    waker: Option<Waker>,
}

/// A place in line. Dropping it leaves the line.
pub(super) struct Turn<C: Clock> {
    room: Arc<Room>,
    clock: C,
    number: u64,
}

impl<C: Clock> Turn<C> {
    /// Waits to be first in line; `None` if that takes until `until`.
    pub(super) async fn wait(room: Arc<Room>, clock: C, until: Instant) -> Option<Self> {
        let number = room.line().join(clock.now());
        let mut turn = Self { room, clock, number };
        while let Some(stale_at) = turn.behind() {
            if turn.clock.now() >= until {
                return None;
            }
            let called =
                poll_fn(|context| turn.room.line().poll_first(turn.number, context.waker()));
            race(called, turn.clock.sleep_until(stale_at.min(until))).await;
        }
        Some(turn)
    }

    /// Announces that the next sign of life comes within `micros`.
    pub(super) fn is_alive_for(&self, micros: u64) {
        let until = self.clock.now().plus_micros(micros.saturating_add(GRACE_US));
        self.room.line().announce(self.number, until);
    }

    /// The watch of those who were first before.
    pub(super) fn take_watch(&self) -> Option<Watch> {
        self.room.line().watch.take()
    }

    /// Leaves the watch to the next in line.
    pub(super) fn leave_watch(&self, watch: Option<Watch>) {
        let mut line = self.room.line();
        if line.waiters.len() > 1 && line.watch.is_none() {
            line.watch = watch;
        }
    }

    /// When to look again, if another is first and alive.
    fn behind(&mut self) -> Option<Instant> {
        let (now, mut line) = (self.clock.now(), self.room.line());
        line.pass_the_dead(now, self.number);
        if !line.waiters.iter().any(|waiter| waiter.number == self.number) {
            // Passed as dead while it was not polled.
            self.number = line.join(now);
        }
        let first = line.waiters.front()?;
        (first.number != self.number).then_some(first.stale_at)
    }
}

impl<C: Clock> Drop for Turn<C> {
    fn drop(&mut self) {
        let now = self.clock.now();
        self.room.line().leave(self.number, now);
    }
}

impl Room {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn join(&mut self, now: Instant) -> u64 {
        self.next += 1;
        let stale_at = now.plus_micros(GRACE_US);
        self.waiters.push_back(Waiter { number: self.next, stale_at, waker: None });
        self.next
    }

    fn poll_first(&mut self, number: u64, waker: &Waker) -> Poll<()> {
        let first = self.waiters.front().is_none_or(|first| first.number == number);
        match self.waiters.iter_mut().find(|waiter| waiter.number == number) {
            Some(waiter) if !first => {
                waiter.waker = Some(waker.clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }

    fn announce(&mut self, number: u64, stale_at: Instant) {
        if let Some(first) = self.waiters.front_mut().filter(|first| first.number == number) {
            first.stale_at = stale_at;
        }
    }

    fn pass_the_dead(&mut self, now: Instant, me: u64) {
        while let Some(first) = self.waiters.front()
            && first.number != me
            && now >= first.stale_at
        {
            let dead = first.number;
            self.leave(dead, now);
        }
    }

    fn leave(&mut self, number: u64, now: Instant) {
        let was_first = self.waiters.front().is_some_and(|first| first.number == number);
        self.waiters.retain(|waiter| waiter.number != number);
        match self.waiters.front_mut() {
            Some(first) if was_first => {
                first.stale_at = now.plus_micros(GRACE_US);
                if let Some(waker) = first.waker.take() {
                    waker.wake();
                }
            }
            Some(_) => {}
            // Nobody is left to use it.
            None => self.watch = None,
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
    ) -> Option<Turn<TokioClock>> {
        Turn::wait(room.clone(), clock, clock.now().plus_micros(secs * SECOND)).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_is_not_passed_before_the_time_that_it_announced() {
        let (room, clock) = (Arc::new(Room::default()), TokioClock::new());
        let first = turn_within(&room, clock, 1).await.unwrap();
        first.is_alive_for(10 * SECOND);
        assert!(turn_within(&room, clock, 9).await.is_none());
        assert!(turn_within(&room, clock, 9).await.is_some(), "it is silent for too long");
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

    #[test]
    fn who_leaves_the_middle_of_the_line_is_no_sign_of_life_of_the_first() {
        let mut line = Line::default();
        let [_, second, third] = [(); 3].map(|()| line.join(Instant::ORIGIN));
        line.leave(second, Instant::from_micros(GRACE_US - 1));
        line.pass_the_dead(Instant::from_micros(GRACE_US), third);
        assert_eq!(line.waiters.front().map(|first| first.number), Some(third));
    }
}
