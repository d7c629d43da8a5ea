//! What the futures of one simulated process share with what runs them: sleeps, orders with their
//! answers, and which tasks are ready.

mod ready;

use std::{
    collections::{BTreeMap, VecDeque},
    task::Waker,
};

use leasehold_core::Instant;

pub(crate) use ready::Ready;

/// Orders of a process's futures, the answers to them, and when its sleeps are over.
#[derive(Debug)]
pub(crate) struct Mailbox<O, A> {
    timers: BTreeMap<(Instant, u64), Waker>,
    orders: VecDeque<O>,
    waits: BTreeMap<u64, (Waker, Option<A>)>,
    numbers: u64,
}

impl<O, A> Default for Mailbox<O, A> {
    fn default() -> Self {
        let (timers, orders, waits) = (BTreeMap::new(), VecDeque::new(), BTreeMap::new());
        Self { timers, orders, waits, numbers: 0 }
    }
}

impl<O, A> Mailbox<O, A> {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Files an order, and says under which number its answer will come.
    pub(crate) fn order(&mut self, waker: &Waker, order: impl FnOnce(u64) -> O) -> u64 {
        let wait = self.number();
        self.waits.insert(wait, (waker.clone(), None));
        self.orders.push_back(order(wait));
        wait
    }

    /// Files an order that has no answer.
    pub(crate) fn tell(&mut self, order: O) {
        self.orders.push_back(order);
    }

    /// The next order to carry out.
    pub(crate) fn next_order(&mut self) -> Option<O> {
        self.orders.pop_front()
    }

    /// Answers, if anybody still waits.
    pub(crate) fn answer(&mut self, wait: u64, answer: A) {
        if let Some((waker, place)) = self.waits.get_mut(&wait) {
            *place = Some(answer);
            waker.wake_by_ref();
        }
    }

    /// The answer, if it has come; else `waker` is woken when it does.
    pub(crate) fn answer_to(&mut self, wait: u64, waker: &Waker) -> Option<A> {
        let entry = self.waits.get_mut(&wait)?;
        if entry.1.is_none() {
            entry.0.clone_from(waker);
        }
        let answer = entry.1.take()?;
        self.waits.remove(&wait);
        Some(answer)
    }

    /// Whether anybody waits for this answer.
    pub(crate) fn awaits(&self, wait: u64) -> bool {
        self.waits.contains_key(&wait)
    }

    /// Nobody waits any more.
    pub(crate) fn forget(&mut self, wait: u64) {
        self.waits.remove(&wait);
    }

    /// Wakes `waker` at `deadline`. The number of the sleep, which is `timer` if it was given before.
    pub(crate) fn sleep(&mut self, deadline: Instant, timer: Option<u64>, waker: &Waker) -> u64 {
        let timer = timer.unwrap_or_else(|| self.number());
        self.timers.insert((deadline, timer), waker.clone());
        timer
    }

    /// Whether this sleep is not over.
    pub(crate) fn sleeps(&self, deadline: Instant, timer: u64) -> bool {
        self.timers.contains_key(&(deadline, timer))
    }

    /// Nobody sleeps so any more. Who would have been woken: to drop it may run others' code.
    pub(crate) fn stop_sleep(&mut self, deadline: Instant, timer: u64) -> Option<Waker> {
        self.timers.remove(&(deadline, timer))
    }

    /// Nobody sleeps any more.
    pub(crate) fn stop_sleeping(&mut self) {
        self.timers.clear();
    }

    /// When the next sleep is over.
    pub(crate) fn next_timer(&self) -> Option<Instant> {
        self.timers.keys().next().map(|(deadline, _)| *deadline)
    }

    /// Whether nobody sleeps or waits for an answer.
    pub(crate) fn is_idle(&self) -> bool {
        self.timers.is_empty() && self.waits.is_empty()
    }

    /// Forgets everything but which numbers were given.
    pub(crate) fn clear(&mut self) {
        self.timers.clear();
        self.orders.clear();
        self.waits.clear();
    }

    /// Whose sleep is over at `now`, in order.
    pub(crate) fn due(&mut self, now: Instant) -> impl Iterator<Item = Waker> + use<O, A> {
        let later = self.timers.split_off(&(now.plus_micros(1), 0));
        std::mem::replace(&mut self.timers, later).into_values()
    }
}
