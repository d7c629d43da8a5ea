//! The local queue of one lock: its waiters in this process, first come, first served. The holder
//! stays the head of the queue until it releases the lock or its lease is over.

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
    subscription::Subscription,
    time::{Clock, Instant},
};

/// How long the head of the queue may go without being heard of beyond what it has announced,
/// before the next one passes it: its task was not polled, though not dropped either.
const GRACE_US: u64 = 1_000_000;

/// How soon one that is neither first nor second looks at the queue, whatever it was told: those
/// before it may all be dead.
const LOOK_US: u64 = 3 * GRACE_US;

/// How many leases go from hand to hand in the queue before one is let go of for other processes to
/// race for it: who is next here asks sooner than they hear of a release.
const HAND_OVERS: u32 = 8;

/// Only the head of the queue asks the store, so a release makes one waiter ask and not all.
#[derive(Default)]
pub(super) struct LocalQueue {
    tickets: Mutex<Tickets>,
}

#[derive(Default)]
struct Tickets {
    next: u64,
    waiters: VecDeque<Waiter>,
    /// The first one's, while nobody is first; it goes from one to the next.
    subscription: Option<Subscription>,
    /// Leases in a row that kept their ticket.
    hand_overs: u32,
}

/// What the lock of the queue must not be held for: code of others runs.
#[derive(Default)]
#[must_use = "who is called must be woken, outside of the lock"]
struct Woken {
    wakers: Vec<Waker>,
    _unused: Option<Subscription>,
}

impl Woken {
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
    /// Whether it should look at the queue again.
    called: bool,
    waker: Option<Waker>,
}

/// A ticket in the queue. Dropping it leaves the queue.
pub(super) struct Ticket {
    queue: Arc<LocalQueue>,
    number: u64,
}

/// The ticket of the head of the queue.
pub(super) struct Head<C> {
    ticket: Ticket,
    clock: C,
}

/// Who is first when another gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    /// The holder of a lease that lasts until then.
    Holder(Instant),
    /// One that waits itself.
    Waiter,
}

impl<C: Clock> Head<C> {
    /// Waits to be the head of the queue, until `until`.
    pub(super) async fn wait(
        queue: Arc<LocalQueue>,
        clock: C,
        until: Instant,
    ) -> Result<Self, Ahead> {
        let number = queue.tickets().join();
        let mut ticket = Ticket { queue, number };
        while let Some((first, stale_at)) = ticket.behind(clock.now()) {
            if clock.now() >= until {
                return Err(first);
            }
            let called = poll_fn(|context| ticket.poll_called(context.waker()));
            race(called, clock.sleep_until(stale_at.min(until))).await;
        }
        Ok(Self { ticket, clock })
    }

    /// Announces that the next sign of life comes within `micros`.
    pub(super) fn is_alive_for(&self, micros: u64) {
        let until = self.clock.now().plus_micros(micros.saturating_add(GRACE_US));
        self.ticket.announce(until, false);
    }

    /// The subscription of those who were first before.
    pub(super) fn take_subscription(&self) -> Option<Subscription> {
        self.ticket.queue.tickets().subscription.take()
    }

    /// Leaves the subscription to the next in the queue.
    pub(super) fn leave_subscription(&self, subscription: Option<Subscription>) {
        let mut tickets = self.ticket.queue.tickets();
        if tickets.waiters.len() > 1 && tickets.subscription.is_none() {
            tickets.subscription = subscription;
        }
    }

    /// The ticket, to be kept while the lock is held; or none, if it is for other processes to
    /// race.
    pub(super) fn into_ticket(self) -> Option<Ticket> {
        let hand_overs = self.ticket.queue.tickets().count_hand_over();
        (hand_overs <= HAND_OVERS).then_some(self.ticket)
    }
}

impl Ticket {
    /// Announces that the lock is held until then, and the next in the queue need not look before.
    pub(super) fn holds_until(&self, deadline: Instant) {
        self.announce(deadline, true);
    }

    fn announce(&self, stale_at: Instant, holds: bool) {
        let called = self.queue.tickets().announce(self.number, stale_at, holds);
        called.wake();
    }

    /// Who is first, and when to look again, if that is another and alive.
    fn behind(&mut self, now: Instant) -> Option<(Ahead, Instant)> {
        let (called, behind) = {
            let mut tickets = self.queue.tickets();
            let called = tickets.pass_the_dead(now, &mut self.number);
            (called, tickets.behind(now, self.number))
        };
        called.wake();
        behind
    }

    fn poll_called(&self, waker: &Waker) -> Poll<()> {
        let (poll, _replaced) = self.queue.tickets().poll_called(self.number, waker);
        poll
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let called = self.queue.tickets().leave(self.number);
        called.wake();
    }
}

impl LocalQueue {
    fn tickets(&self) -> MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tickets {
    fn join(&mut self) -> u64 {
        self.next += 1;
        let number = self.next;
        let waiter = Waiter { number, stale_at: None, holds: false, called: false, waker: None };
        self.waiters.push_back(waiter);
        number
    }

    fn behind(&self, now: Instant, number: u64) -> Option<(Ahead, Instant)> {
        let first = self.waiters.front().filter(|first| first.number != number)?;
        let stale_at = first.stale_at.unwrap_or(now);
        let is_second = self.waiters.get(1).is_some_and(|second| second.number == number);
        let look_at = if is_second { stale_at } else { stale_at.min(now.plus_micros(LOOK_US)) };
        Some((if first.holds { Ahead::Holder(stale_at) } else { Ahead::Waiter }, look_at))
    }

    fn poll_called(&mut self, number: u64, waker: &Waker) -> (Poll<()>, Option<Waker>) {
        match self.waiters.iter().position(|waiter| waiter.number == number) {
            Some(index @ 1..) if !mem::take(&mut self.waiters[index].called) => {
                (Poll::Pending, self.waiters[index].waker.replace(waker.clone()))
            }
            _ => (Poll::Ready(()), None),
        }
    }

    fn announce(&mut self, number: u64, stale_at: Instant, holds: bool) -> Woken {
        let mut called = Woken::default();
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
    fn pass_the_dead(&mut self, now: Instant, me: &mut u64) -> Woken {
        let mut called = Woken::default();
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

    fn leave(&mut self, number: u64) -> Woken {
        let mut called = Woken::default();
        self.waiters.retain(|waiter| waiter.number != number);
        if self.waiters.is_empty() {
            // Nobody is left to use it.
            called._unused = self.subscription.take();
            self.hand_overs = 0;
        }
        // The first, whose turn it is, and the one who passes it if it does not take it.
        self.call(0..2, &mut called);
        called
    }

    fn call(&mut self, range: Range<usize>, called: &mut Woken) {
        for waiter in self.waiters.range_mut(range.start..range.end.min(self.waiters.len())) {
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
    use crate::{subscription::ReleaseSource, time::TokioClock};

    const SECOND: u64 = 1_000_000;

    struct Silent;

    impl ReleaseSource for Silent {
        fn poll_released(&mut self, _context: &mut core::task::Context<'_>) -> Poll<bool> {
            Poll::Pending
        }
    }

    /// The ticket of a holder whose lease lasts so long.
    async fn holder_for(queue: &Arc<LocalQueue>, clock: TokioClock, secs: u64) -> Ticket {
        let holder = head_within(queue, clock, 1).await.unwrap().into_ticket().unwrap();
        holder.holds_until(clock.now().plus_micros(secs * SECOND));
        holder
    }

    async fn is_waiting<F: Future + Unpin>(waiter: F) -> bool {
        tokio::time::timeout(Duration::ZERO, waiter).await.is_err()
    }

    async fn head_within(
        queue: &Arc<LocalQueue>,
        clock: TokioClock,
        secs: u64,
    ) -> Result<Head<TokioClock>, Ahead> {
        Head::wait(queue.clone(), clock, clock.now().plus_micros(secs * SECOND)).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_is_not_passed_before_the_time_that_it_announced() {
        let (queue, clock) = (Arc::new(LocalQueue::default()), TokioClock::new());
        let first = head_within(&queue, clock, 1).await.unwrap();
        first.is_alive_for(10 * SECOND);
        assert_eq!(head_within(&queue, clock, 9).await.map(drop), Err(Ahead::Waiter));
        assert!(head_within(&queue, clock, 9).await.is_ok(), "it is silent for too long");
    }

    #[tokio::test(start_paused = true)]
    async fn a_subscription_goes_to_the_next_in_the_queue_and_to_nobody_else() {
        let (queue, clock) = (Arc::new(LocalQueue::default()), TokioClock::new());
        let first = head_within(&queue, clock, 1).await.unwrap();
        first.leave_subscription(Some(Subscription::new(Silent)));
        assert!(first.take_subscription().is_none(), "nobody is behind it");
        let mut behind = pin!(head_within(&queue, clock, 60));
        assert!(is_waiting(&mut behind).await);
        first.leave_subscription(Some(Subscription::new(Silent)));
        drop(first);
        let second = behind.await.unwrap();
        assert!(second.take_subscription().is_some());
        assert!(second.take_subscription().is_none(), "there is one");
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_the_lock_keeps_the_head_until_it_is_over() {
        let (queue, clock) = (Arc::new(LocalQueue::default()), TokioClock::new());
        let _holder = holder_for(&queue, clock, 30).await;
        let deadline = clock.now().plus_micros(30 * SECOND);
        assert_eq!(head_within(&queue, clock, 9).await.map(drop), Err(Ahead::Holder(deadline)));
        assert!(head_within(&queue, clock, 60).await.is_ok());
        assert_eq!(clock.now(), deadline);
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_that_does_not_ask_is_passed_soon_after_a_long_lease() {
        let (queue, clock) = (Arc::new(LocalQueue::default()), TokioClock::new());
        let holder = holder_for(&queue, clock, 30).await;
        let mut dead = pin!(head_within(&queue, clock, 60));
        assert!(is_waiting(&mut dead).await);
        let given_back = async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            drop(holder);
        };
        let start = clock.now();
        let (third, ()) = tokio::join!(head_within(&queue, clock, 60), given_back);
        assert!(third.is_ok());
        assert_eq!(clock.now(), start.plus_micros(5 * SECOND + GRACE_US));
    }

    #[tokio::test(start_paused = true)]
    async fn two_that_do_not_take_their_turns_are_passed_long_before_a_long_lease_would_be_over() {
        let (queue, clock) = (Arc::new(LocalQueue::default()), TokioClock::new());
        let holder = holder_for(&queue, clock, 3_600).await;
        let mut dead = pin!(head_within(&queue, clock, 60));
        let mut too = pin!(head_within(&queue, clock, 60));
        let mut alive = pin!(head_within(&queue, clock, 60));
        for waiter in [&mut dead, &mut too, &mut alive] {
            assert!(is_waiting(waiter).await);
        }
        drop(holder);
        let start = clock.now();
        assert!(alive.await.is_ok());
        assert_eq!(clock.now(), start.plus_micros(LOOK_US + 2 * GRACE_US));
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_one_hears_of_a_lease_that_is_shorter_than_the_try_was_allowed_to_take() {
        let (queue, clock) = (Arc::new(LocalQueue::default()), TokioClock::new());
        let first = head_within(&queue, clock, 1).await.unwrap();
        first.is_alive_for(30 * SECOND);
        let granted = async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let ticket = first.into_ticket().unwrap();
            ticket.holds_until(clock.now().plus_micros(SECOND));
            mem::forget(ticket);
        };
        let start = clock.now();
        let (second, ()) = tokio::join!(head_within(&queue, clock, 60), granted);
        assert!(second.is_ok());
        assert_eq!(clock.now(), start.plus_micros(SECOND + 1_000));
    }

    #[tokio::test(start_paused = true)]
    async fn now_and_then_a_place_is_not_kept_unless_nobody_waits() {
        let (queue, clock) = (Arc::new(LocalQueue::default()), TokioClock::new());
        let first = head_within(&queue, clock, 1).await.unwrap();
        let _behind = Ticket { queue: queue.clone(), number: queue.tickets().join() };
        for _ in 0..2 {
            for _ in 0..HAND_OVERS {
                assert!(queue.tickets().count_hand_over() <= HAND_OVERS);
            }
            assert!(queue.tickets().count_hand_over() > HAND_OVERS);
        }
        drop(first);
        let mut tickets = Tickets { hand_overs: HAND_OVERS, ..Tickets::default() };
        let alone = tickets.join();
        tickets.leave(alone).wake();
        assert_eq!(tickets.count_hand_over(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_kept_eight_times_in_a_row() {
        let (queue, clock) = (Arc::new(LocalQueue::default()), TokioClock::new());
        let mut first = head_within(&queue, clock, 1).await.unwrap();
        for count in 1..=3 * HAND_OVERS {
            let number = queue.tickets().join();
            let behind = Head { ticket: Ticket { queue: queue.clone(), number }, clock };
            let kept = first.into_ticket().is_some();
            assert_eq!(kept, count % (HAND_OVERS + 1) != 0, "{count}");
            first = behind;
        }
    }

    #[test]
    fn who_leaves_the_line_leaves_the_others_in_order() {
        for leaver in 0..5 {
            let mut tickets = Tickets::default();
            let mut order: Vec<_> = (0..5).map(|_| tickets.join()).collect();
            tickets.leave(order.remove(leaver)).wake();
            for next in order {
                assert_eq!(tickets.waiters.front().map(|first| first.number), Some(next));
                tickets.leave(next).wake();
            }
        }
    }

    #[test]
    fn who_leaves_the_middle_of_the_line_is_no_sign_of_life_of_the_first() {
        let mut tickets = Tickets::default();
        let [_, second, mut third] = [(); 3].map(|()| tickets.join());
        tickets.pass_the_dead(Instant::ORIGIN, &mut third).wake();
        tickets.leave(second).wake();
        tickets.pass_the_dead(Instant::from_micros(GRACE_US), &mut third).wake();
        assert_eq!(tickets.waiters.front().map(|first| first.number), Some(third));
    }
}
