//! Which attempts are made again, when, and what several of them say together.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    time::Duration,
};

use leasehold_core::{Cause, Command, StoreError, lock::LockCommand};
use tokio::time::Instant;

use crate::error::SetupError;

/// How often a command is sent again after an attempt that failed on the way.
///
/// Sent again are a command that was certainly not applied, and one without a reply, since every
/// command names what it is about and may come twice. There is one exception: an acquire under a
/// caller's own token (one without a number) whose reply was lost, because *busy* does not retire
/// such a token, so that the first copy could still take the lock unseen. The same goes for a
/// [lean](leasehold_core::lock::Guarantee::Lean) lock's acquire and release, which leave the next
/// try to the lock. What a server refused is never sent again.
///
/// A caller that has given up stops it: nothing is sent for a future that was dropped.
///
/// ```
/// use leasehold_upstash::RetryPolicy;
///
/// let five_times = RetryPolicy::new().retries(4);
/// # let _ = five_times;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    pub(crate) retries: u32,
    pub(crate) first_wait: Duration,
    pub(crate) longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 2,
            first_wait: Duration::from_millis(50),
            longest_wait: Duration::from_secs(1),
        }
    }
}

impl RetryPolicy {
    /// The default: two more attempts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many attempts may follow the first. Default 2. With 0, every command is sent once, but
    /// for the text of a script that the server does not know.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// The longest wait before the second attempt. It doubles with each further one, and each wait
    /// is drawn from its upper half. Default 50 ms.
    #[must_use]
    pub fn first_wait(mut self, wait: Duration) -> Self {
        self.first_wait = wait;
        self
    }

    /// No wait is longer than this. Default 1 s.
    #[must_use]
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// The wait before attempt `number` (the second is 1), between half and all of what has
    /// doubled.
    pub(crate) fn wait(&self, number: u32) -> Duration {
        let doubled = self.first_wait.saturating_mul(1 << (number - 1).min(30));
        let longest = doubled.min(self.longest_wait).min(FOR_EVER);
        let half = u64::try_from(longest.as_micros() / 2).unwrap_or(u64::MAX);
        longest - Duration::from_micros(random() % (half + 1))
    }
}

/// How long a command may take, and how much of that making a connection may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) total: Duration,
    pub(crate) connect: Duration,
}

impl Default for Budget {
    /// Less than the time that a lock's handle gives to a call, so that the store still says what
    /// became of it.
    fn default() -> Self {
        Self { total: Duration::from_millis(1_800), connect: Duration::from_millis(600) }
    }
}

impl Budget {
    /// The same, with enough time for another attempt after one without a reply.
    ///
    /// # Errors
    ///
    /// What is zero, so that nothing could succeed.
    pub(crate) fn checked(self) -> Result<Self, SetupError> {
        let zeros = [("the timeout", self.total), ("the connect timeout", self.connect)];
        match zeros.into_iter().find(|(_, time)| time.is_zero()) {
            Some((what, _)) => Err(SetupError::Zero { what }),
            None => Ok(Self { connect: self.connect.min(self.total / 3), ..self }),
        }
    }

    /// The same, for a command that takes up to `pause` on purpose.
    #[cfg(feature = "rest")]
    pub(crate) fn and(self, pause: Duration) -> Self {
        Self { total: self.total.saturating_add(pause), ..self }
    }
}

/// The setters that each builder of a store has.
#[cfg(any(feature = "rest", feature = "tcp"))]
macro_rules! budget_setters {
    () => {
        /// How long a command may take in all: waiting for its turn, connecting, every attempt, and
        /// the waits between them. Default 1.8 s. Not zero. Less than the `call_timeout` of the
        /// locks that use the store, which would otherwise give up before it is known what became
        /// of the command. An attempt that may be followed by another is given half of what is
        /// left.
        pub fn timeout(mut self, timeout: Duration) -> Self {
            self.budget.total = timeout;
            self
        }

        /// The part of it for making a connection: finding the server, the handshakes and the
        /// credentials. What was not connected in that time has certainly sent nothing. Default
        /// 600 ms, and at most a third of [`Self::timeout`]. Not zero.
        pub fn connect_timeout(mut self, timeout: Duration) -> Self {
            self.budget.connect = timeout;
            self
        }

        /// When a command is sent again. See [`RetryPolicy`].
        pub fn retry(mut self, policy: RetryPolicy) -> Self {
            self.retry = policy;
            self
        }
    };
}
#[cfg(any(feature = "rest", feature = "tcp"))]
pub(crate) use budget_setters;

/// About thirty years.
const FOR_EVER: Duration = Duration::from_secs(1 << 30);

/// The attempts at one command.
#[derive(Debug)]
pub(crate) struct Attempts {
    made: u32,
    /// Whether one of them may have been applied.
    ambiguous: bool,
    /// Whether the command may be sent again after an attempt without a reply.
    repeatable: bool,
    /// When the command must end.
    deadline: Instant,
    /// What one attempt needs at least, so that it ends by itself if no connection can be made.
    least: Duration,
}

impl Attempts {
    /// At `command`, from now on.
    pub(crate) fn within(command: &Command, budget: Budget) -> Self {
        let now = Instant::now();
        // Longer than that is for ever.
        let deadline = now.checked_add(budget.total).unwrap_or(now + FOR_EVER);
        let least = budget.connect + budget.connect / 4;
        Self { made: 0, ambiguous: false, repeatable: is_repeatable(command), deadline, least }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// When an attempt that begins now must end: half of what is left is kept for the next, if
    /// there may be one.
    pub(crate) fn end_of_next(&self, policy: &RetryPolicy) -> Instant {
        let now = Instant::now();
        let left = self.deadline.saturating_duration_since(now);
        if self.made >= policy.retries || !self.repeatable {
            return self.deadline;
        }
        now + (left / 2).max(self.least).min(left)
    }

    /// One more attempt failed: how long to wait before the next, or what to tell the caller.
    pub(crate) fn failed(
        &mut self,
        error: StoreError,
        policy: &RetryPolicy,
    ) -> Result<Duration, StoreError> {
        self.made += 1;
        self.ambiguous |= matches!(error, StoreError::Unknown(_));
        let again = self.made <= policy.retries
            && is_transient(&error)
            && (self.repeatable || !self.ambiguous);
        let wait = policy.wait(self.made);
        if again && Instant::now() + wait + self.least < self.deadline {
            crate::trace::retrying(&error, wait);
            return Ok(wait);
        }
        let error = self.told(error);
        if self.ambiguous {
            crate::trace::ambiguous(&error);
        }
        Err(error)
    }

    /// What the last attempt says in the light of those before it.
    fn told(&self, last: StoreError) -> StoreError {
        match last {
            StoreError::NotSent(_) | StoreError::Rejected(_) if self.ambiguous => {
                let text = format!("an earlier copy got no reply, and then: {last}");
                StoreError::Unknown(Cause::Other(text.into()))
            }
            last => last,
        }
    }
}

fn is_transient(error: &StoreError) -> bool {
    match error {
        // Whoever answers in the wrong shape will do so again.
        StoreError::Unknown(cause) => !matches!(cause, Cause::Malformed(_)),
        StoreError::NotSent(_) => true,
        StoreError::Rejected(_) => false,
    }
}

fn is_repeatable(command: &Command) -> bool {
    match command {
        Command::Lock(LockCommand::Acquire { token, .. }) => token.series().1 > 0,
        // The machine knows how to go on: nothing remembers what became of the first copy.
        Command::Lock(LockCommand::AcquireLean { .. } | LockCommand::ReleaseLean { .. }) => false,
        _ => true,
    }
}

/// Not a good random number, only a different one in each process and at each call.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use leasehold_core::{Rejection, RejectionKind, Token, lock::LockKeys};
    use tokio::time::sleep_until;

    use super::*;

    fn acquire(token: &str) -> Command {
        let (keys, token) = (LockKeys::of("job").into(), Token::new(token).unwrap());
        let command =
            LockCommand::Acquire { keys, token, lease_ms: 1, fence_life_ms: 1, tombstone_ms: 1 };
        Command::Lock(command)
    }

    fn budget(total: Duration) -> Budget {
        Budget { total, connect: Duration::from_secs(1) }
    }

    fn attempts(token: &str) -> Attempts {
        Attempts::within(&acquire(token), budget(Duration::from_secs(60)))
    }

    fn unreachable() -> StoreError {
        StoreError::NotSent(Cause::Unreachable("refused".into()))
    }

    fn lost() -> StoreError {
        StoreError::Unknown(Cause::Disconnected("".into()))
    }

    fn read_only() -> StoreError {
        let message = "READONLY".into();
        StoreError::Rejected(Rejection { kind: RejectionKind::ReadOnly, message })
    }

    #[test]
    fn it_ends_after_the_allowed_number() {
        let (mut attempts, policy) = (attempts("a#1"), RetryPolicy::default());
        assert!(attempts.failed(lost(), &policy).is_ok());
        assert!(attempts.failed(lost(), &policy).is_ok());
        assert_eq!(attempts.failed(lost(), &policy), Err(lost()));
        assert_eq!(
            self::attempts("a#1").failed(lost(), &RetryPolicy::new().retries(0)),
            Err(lost())
        );
    }

    #[test]
    fn a_refusal_and_a_reply_of_the_wrong_shape_end_it() {
        let policy = RetryPolicy::default();
        assert_eq!(attempts("a#1").failed(read_only(), &policy), Err(read_only()));
        let malformed = StoreError::Unknown(Cause::Malformed("<html>".into()));
        assert_eq!(attempts("a#1").failed(malformed.clone(), &policy), Err(malformed));
    }

    #[test]
    fn once_in_doubt_it_stays_in_doubt() {
        for cause in
            [Cause::TIMED_OUT, Cause::Disconnected("".into()), Cause::Other("HTTP 503".into())]
        {
            for last in [read_only(), unreachable()] {
                let (mut attempts, policy) =
                    (attempts("a#1"), RetryPolicy { retries: 1, ..RetryPolicy::default() });
                assert!(attempts.failed(StoreError::Unknown(cause.clone()), &policy).is_ok());
                let told = attempts.failed(last.clone(), &policy).unwrap_err();
                assert!(matches!(told, StoreError::Unknown(_)), "{last:?} became {told:?}");
            }
        }
    }

    #[test]
    fn a_callers_own_token_is_not_sent_again_once_in_doubt() {
        let policy = RetryPolicy::default();
        assert_eq!(attempts("mine").failed(lost(), &policy), Err(lost()));
        assert!(attempts("mine").failed(unreachable(), &policy).is_ok());
    }

    #[test]
    fn nothing_is_sent_again_after_the_deadline() {
        let mut late = Attempts::within(&acquire("a#1"), budget(Duration::ZERO));
        assert_eq!(late.failed(lost(), &RetryPolicy::default()), Err(lost()));
    }

    #[test]
    fn a_limit_may_be_without_end() {
        let mut attempts = Attempts::within(&acquire("a#1"), budget(Duration::MAX));
        assert!(attempts.failed(lost(), &RetryPolicy::default()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_share_the_time_and_the_last_has_all_that_is_left() {
        let policy = RetryPolicy { first_wait: Duration::ZERO, ..RetryPolicy::default() };
        let mut attempts = Attempts::within(&acquire("a#1"), budget(Duration::from_secs(8)));
        let begun = Instant::now();
        for end in [4, 6, 8] {
            let limit = attempts.end_of_next(&policy);
            assert_eq!(limit - begun, Duration::from_secs(end));
            sleep_until(limit).await;
            assert_eq!(attempts.failed(lost(), &policy).is_ok(), end < 8);
        }
        let mut once = self::attempts("mine");
        assert_eq!(once.end_of_next(&policy), once.deadline(), "it is not sent again");
        assert!(once.failed(lost(), &policy).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn no_attempt_begins_that_could_not_tell_whether_it_connected() {
        let policy =
            RetryPolicy { retries: u32::MAX, first_wait: Duration::ZERO, ..RetryPolicy::default() };
        let connect = Duration::from_secs(1);
        let mut attempts = Attempts::within(&acquire("a#1"), budget(4 * connect));
        while attempts.failed(unreachable(), &policy).is_ok() {
            assert!(attempts.end_of_next(&policy) > Instant::now() + connect);
            sleep_until(Instant::now() + connect / 10).await;
        }
        assert!(Instant::now() < attempts.deadline());
    }

    #[test]
    fn connecting_has_a_part_of_the_time() {
        let second = Duration::from_secs(1);
        let checked = Budget { total: second, connect: second }.checked();
        assert_eq!(checked, Ok(Budget { total: second, connect: second / 3 }));
        for (total, connect) in [(Duration::ZERO, second), (second, Duration::ZERO)] {
            assert!(matches!(Budget { total, connect }.checked(), Err(SetupError::Zero { .. })));
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_differ() {
        let policy = RetryPolicy::default();
        let drawn = |number| (0..100).map(|_| policy.wait(number)).collect::<Vec<_>>();
        let for_ever = RetryPolicy::new().first_wait(Duration::MAX).longest_wait(Duration::MAX);
        assert!(for_ever.wait(1) <= FOR_EVER);
        for (number, longest) in [(1, 50), (2, 100), (4, 400), (9, 1_000), (u32::MAX, 1_000)] {
            let longest = Duration::from_millis(longest);
            assert!(drawn(number).iter().all(|wait| (longest / 2..=longest).contains(wait)));
        }
        let first = drawn(1);
        assert!(first.iter().any(|wait| *wait != first[0]));
    }
}
