//! What lies between two tries.

use super::*;
use crate::{
    lock::config::{DELAYS_PER_SUBSCRIBED_LOOK, Wait},
    time::whole_micros,
};

/// How far behind the end of a lease a waiter looks: the server rounds to milliseconds.
const ROUNDING_US: u64 = 1_000;

impl LockMachine {
    /// Pauses before the next try, or ends with `outcome` after the last one.
    pub(super) fn wait(
        &mut self,
        now: Instant,
        attempt: Attempt,
        outcome: NotAcquired,
    ) -> Action<LockOutcome> {
        match attempt.request.wait {
            Some(wait) => self.wait_until(now, wait, attempt, outcome),
            None if attempt.number >= attempt.request.attempts => self.end(now, attempt, outcome),
            None => {
                let delay_us = attempt.request.delay_us;
                self.state = State::Waiting(attempt, outcome);
                self.sleep(now, delay_us)
            }
        }
    }

    /// A notification ends any pause early: at worst it was for nothing.
    pub(super) fn notified(&mut self, now: Instant) -> Action<LockOutcome> {
        self.woke(now)
    }

    pub(super) fn wait_is_over(
        &mut self,
        now: Instant,
        attempt: Attempt,
        outcome: NotAcquired,
    ) -> Action<LockOutcome> {
        if now >= attempt.request.deadline() {
            self.end(now, attempt, outcome)
        } else {
            self.try_again(now, attempt)
        }
    }

    /// With a subscription, the lock may have been released before it was in place: look at once.
    pub(super) fn subscribed(&mut self, now: Instant, subscribed: bool) -> Action<LockOutcome> {
        let State::Subscribing(mut attempt, outcome) = core::mem::take(&mut self.state) else {
            unreachable!("driver: a subscription was not asked for");
        };
        if let Some(wait) = &mut attempt.request.wait {
            wait.subscribed = Some(subscribed);
        }
        if subscribed && now < attempt.request.deadline() {
            self.try_again(now, attempt)
        } else {
            self.wait(now, attempt, outcome)
        }
    }

    fn wait_until(
        &mut self,
        now: Instant,
        wait: Wait,
        attempt: Attempt,
        outcome: NotAcquired,
    ) -> Action<LockOutcome> {
        if now >= wait.until {
            return self.end(now, attempt, outcome);
        }
        let delay_us = attempt.request.delay_us;
        let NotAcquired::Busy { remaining } = outcome else {
            self.state = State::Waiting(attempt, outcome);
            return self.sleep_until(now, delay_us, wait.until);
        };
        let Some(subscribed) = wait.subscribed else {
            let give_up_at = now.plus_micros(self.config.call_timeout_us).min(wait.until);
            self.state = State::Subscribing(attempt, outcome);
            return Action::Subscribe { keys: self.config.keys.clone(), give_up_at };
        };
        let delays = if subscribed { DELAYS_PER_SUBSCRIBED_LOOK } else { 1 };
        let bound_us = self.spread(delay_us.saturating_mul(delays));
        // The waiters of several processes do not all look in the millisecond after it.
        let rest_us = remaining.map_or(u64::MAX, |rest| {
            let late_us = self.spread(delay_us / 10).saturating_add(ROUNDING_US);
            whole_micros(rest).saturating_add(late_us)
        });
        self.state = State::Waiting(attempt, outcome);
        Action::SleepUntil(now.plus_micros(bound_us.min(rest_us)).min(wait.until))
    }

    /// Cleans up what the tries may have left, and says `outcome`. After the deadline there is no
    /// time to clean up: the machine remembers, and says that it does not know.
    pub(super) fn end(
        &mut self,
        now: Instant,
        attempt: Attempt,
        outcome: NotAcquired,
    ) -> Action<LockOutcome> {
        if !attempt.ambiguous {
            return not_acquired(outcome);
        }
        if now < attempt.request.deadline() {
            let (token, until) = (attempt.token, attempt.request.deadline());
            let then = Box::new(Next::End(outcome));
            return self.send_clear(now, Clearing { token, tries: 0, until, then });
        }
        let error = match outcome {
            NotAcquired::Unavailable(error) | NotAcquired::Unknown(error) => error,
            _ => StoreError::Unknown(Cause::TIMED_OUT),
        };
        self.leftover = Some(attempt.token);
        not_acquired(NotAcquired::Unknown(error))
    }
}
