//! The waiting room of one lock: its waiters in this process, first come, first served. Who was
//! served keeps the first place until the lock is given back or the lease is over.

use alloc::{collections::VecDeque, sync::Arc, vec::Vec};
use core::{
    future::poll_fn,
    mem,
    ops::Range,
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

/// How soon one that is neither first nor second looks at the line, whatever it was told: those
/// before it may all be dead.
const LOOK_US: u64 = 3 * GRACE_US;

/// How many leases go from hand to hand in the line before one is let go of for other processes to
/// race for it: who is next here asks sooner than they hear of a release.
const HAND_OVERS: u32 = 8;

/// Only the first in line asks the store, so a release makes one ask and not all.
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
    /// Leases in a row that kept their place.
    hand_overs: u32,
}

/// What the lock of the line must not be held for: code of others runs.
#[derive(Default)]
#[must_use = "who is called must be woken, outside of the lock"]
struct Called {
    wakers: Vec<Waker>,
    _unused: Option<Watch>,
}

impl Called {
    fn wake(self) {
        self.wakers.into_iter().for_each(Waker::wake);
    }
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

/// Who is first when another gives up.
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
            let called = poll_fn(|context| place.poll_called(context.waker()));
            race(called, clock.sleep_until(stale_at.min(until))).await;
        }
        Ok(Self { place, clock })
    }

    /// Announces that the next sign of life comes within `micros`.
    pub(super) fn is_alive_for(&self, micros: u64) {
        let until = self.clock.now().plus_micros(micros.saturating_add(GRACE_US));
        self.place.announce(until, false);
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

    /// The place, to be kept while the lock is held; or none, if it is for other processes to race.
    pub(super) fn into_place(self) -> Option<Place> {
        let hand_overs = self.place.room.line().count_hand_over();
        (hand_overs <= HAND_OVERS).then_some(self.place)
    }
}

impl Place {
    /// Announces that the lock is held until then, and the next in line need not look before.
    pub(super) fn holds_until(&self, deadline: Instant) {
        self.announce(deadline, true);
    }

    fn announce(&self, stale_at: Instant, holds: bool) {
        let called = self.room.line().announce(self.number, stale_at, holds);
        called.wake();
    }

    /// Who is first, and when to look again, if that is another and alive.
    fn behind(&mut self, now: Instant) -> Option<(First, Instant)> {
        let (called, behind) = {
            let mut line = self.room.line();
            let called = line.pass_the_dead(now, &mut self.number);
            (called, line.behind(now, self.number))
        };
        called.wake();
        behind
    }

    fn poll_called(&self, waker: &Waker) -> Poll<()> {
        let (poll, _replaced) = self.room.line().poll_called(self.number, waker);
        poll
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let called = self.room.line().leave(self.number);
        called.wake();
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

    fn behind(&self, now: Instant, number: u64) -> Option<(First, Instant)> {
        let first = self.waiters.front().filter(|first| first.number != number)?;
        let stale_at = first.stale_at.unwrap_or(now);
        let is_second = self.waiters.get(1).is_some_and(|second| second.number == number);
        let look_at = if is_second { stale_at } else { stale_at.min(now.plus_micros(LOOK_US)) };
        Some((if first.holds { First::Holder(stale_at) } else { First::Waiter }, look_at))
    }

    fn poll_called(&mut self, number: u64, waker: &Waker) -> (Poll<()>, Option<Waker>) {
        match self.waiters.iter().position(|waiter| waiter.number == number) {
            Some(index @ 1..) if !mem::take(&mut self.waiters[index].called) => {
                (Poll::Pending, self.waiters[index].waker.replace(waker.clone()))
            }
            _ => (Poll::Ready(()), None),
        }
    }

    fn announce(&mut self, number: u64, stale_at: Instant, holds: bool) -> Called {
        let mut called = Called::default();
        if let Some(first) = self.waiters.front_mut().filter(|first| first.number == number) {
            let before = first.stale_at.replace(stale_at);
            first.holds = holds;
            if before.is_some_and(|before| stale_at < before) {
                self.call(1..2, &mut called);
            }
        }
        called
    }

    /// Whoever is passed joins again, also `me`, if it was not polled for too long.
    fn pass_the_dead(&mut self, now: Instant, me: &mut u64) -> Called {
        let mut called = Called::default();
        if !self.waiters.iter().any(|waiter| waiter.number == *me) {
            *me = self.join();
        }
        while let Some(first) = self.waiters.front_mut().filter(|first| first.number != *me) {
            if now < *first.stale_at.get_or_insert_with(|| now.plus_micros(GRACE_US)) {
                break;
            }
            self.waiters.pop_front();
            self.call(0..2, &mut called);
        }
        called
    }

    fn leave(&mut self, number: u64) -> Called {
        let mut called = Called::default();
        self.waiters.retain(|waiter| waiter.number != number);
        if self.waiters.is_empty() {
            // Nobody is left to use it.
            called._unused = self.watch.take();
            self.hand_overs = 0;
        }
        // The first, whose turn it is, and the one who passes it if it does not take it.
        self.call(0..2, &mut called);
        called
    }

    fn call(&mut self, places: Range<usize>, called: &mut Called) {
        for waiter in self.waiters.range_mut(places.start..places.end.min(self.waiters.len())) {
            waiter.called = true;
            called.wakers.extend(waiter.waker.take());
        }
    }

    fn count_hand_over(&mut self) -> u32 {
        self.hand_overs = if self.hand_overs > HAND_OVERS { 1 } else { self.hand_overs + 1 };
        self.hand_overs
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

    /// The place of a holder whose lease lasts so long.
    async fn holder_for(room: &Arc<Room>, clock: TokioClock, secs: u64) -> Place {
        let holder = turn_within(room, clock, 1).await.unwrap().into_place().unwrap();
        holder.holds_until(clock.now().plus_micros(secs * SECOND));
        holder
    }

    async fn is_waiting<F: Future + Unpin>(waiter: F) -> bool {
        tokio::time::timeout(Duration::ZERO, waiter).await.is_err()
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
        assert!(is_waiting(&mut behind).await);
        first.leave_watch(Some(Watch::new(Silent)));
        drop(first);
        let second = behind.await.unwrap();
        assert!(second.take_watch().is_some());
        assert!(second.take_watch().is_none(), "there is one");
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_the_lock_keeps_the_place_until_it_is_over() {
        let (room, clock) = (Arc::new(Room::default()), TokioClock::new());
        let _holder = holder_for(&room, clock, 30).await;
        let deadline = clock.now().plus_micros(30 * SECOND);
        assert_eq!(turn_within(&room, clock, 9).await.map(drop), Err(First::Holder(deadline)));
        assert!(turn_within(&room, clock, 60).await.is_ok());
        assert_eq!(clock.now(), deadline);
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_that_does_not_take_its_turn_is_passed_soon_after_a_long_lease() {
        let (room, clock) = (Arc::new(Room::default()), TokioClock::new());
        let holder = holder_for(&room, clock, 30).await;
        let mut dead = pin!(turn_within(&room, clock, 60));
        assert!(is_waiting(&mut dead).await);
        let given_back = async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            drop(holder);
        };
        let (third, ()) = tokio::join!(turn_within(&room, clock, 60), given_back);
        assert!(third.is_ok());
        assert_eq!(clock.now(), Instant::ORIGIN.plus_micros(5 * SECOND + GRACE_US));
    }

    #[tokio::test(start_paused = true)]
    async fn two_that_do_not_take_their_turns_are_passed_long_before_a_long_lease_would_be_over() {
        let (room, clock) = (Arc::new(Room::default()), TokioClock::new());
        let holder = holder_for(&room, clock, 3_600).await;
        let mut dead = pin!(turn_within(&room, clock, 60));
        let mut too = pin!(turn_within(&room, clock, 60));
        let mut alive = pin!(turn_within(&room, clock, 60));
        for waiter in [&mut dead, &mut too, &mut alive] {
            assert!(is_waiting(waiter).await);
        }
        drop(holder);
        assert!(alive.await.is_ok());
        assert_eq!(clock.now(), Instant::from_micros(LOOK_US + 2 * GRACE_US));
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_one_hears_of_a_lease_that_is_shorter_than_the_try_was_allowed_to_take() {
        let (room, clock) = (Arc::new(Room::default()), TokioClock::new());
        let first = turn_within(&room, clock, 1).await.unwrap();
        first.is_alive_for(30 * SECOND);
        let granted = async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let place = first.into_place().unwrap();
            place.holds_until(clock.now().plus_micros(SECOND));
            mem::forget(place);
        };
        let (second, ()) = tokio::join!(turn_within(&room, clock, 60), granted);
        assert!(second.is_ok());
        assert_eq!(clock.now(), Instant::from_micros(SECOND + 1_000));
    }

    #[tokio::test(start_paused = true)]
    async fn now_and_then_a_place_is_not_kept_unless_nobody_waits() {
        let (room, clock) = (Arc::new(Room::default()), TokioClock::new());
        let first = turn_within(&room, clock, 1).await.unwrap();
        let _behind = Place { room: room.clone(), number: room.line().join() };
        for _ in 0..2 {
            for _ in 0..HAND_OVERS {
                assert!(room.line().count_hand_over() <= HAND_OVERS);
            }
            assert!(room.line().count_hand_over() > HAND_OVERS);
        }
        drop(first);
        let mut line = Line { hand_overs: HAND_OVERS, ..Line::default() };
        let alone = line.join();
        line.leave(alone).wake();
        assert_eq!(line.count_hand_over(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_kept_eight_times_in_a_row() {
        let (room, clock) = (Arc::new(Room::default()), TokioClock::new());
        let mut first = turn_within(&room, clock, 1).await.unwrap();
        for count in 1..=3 * HAND_OVERS {
            let number = room.line().join();
            let behind = Turn { place: Place { room: room.clone(), number }, clock };
            let kept = first.into_place().is_some();
            assert_eq!(kept, count % (HAND_OVERS + 1) != 0, "{count}");
            first = behind;
        }
    }

    #[test]
    fn who_leaves_the_line_leaves_the_others_in_order() {
        for leaver in 0..5 {
            let mut line = Line::default();
            let mut order: Vec<_> = (0..5).map(|_| line.join()).collect();
            line.leave(order.remove(leaver)).wake();
            for next in order {
                assert_eq!(line.waiters.front().map(|first| first.number), Some(next));
                line.leave(next).wake();
            }
        }
    }

    #[test]
    fn who_leaves_the_middle_of_the_line_is_no_sign_of_life_of_the_first() {
        let mut line = Line::default();
        let [_, second, mut third] = [(); 3].map(|()| line.join());
        line.pass_the_dead(Instant::ORIGIN, &mut third).wake();
        line.leave(second).wake();
        line.pass_the_dead(Instant::from_micros(GRACE_US), &mut third).wake();
        assert_eq!(line.waiters.front().map(|first| first.number), Some(third));
    }
}
