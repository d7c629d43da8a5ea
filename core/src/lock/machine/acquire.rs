//! Trying, waiting between tries, and cleaning up after a try whose outcome is unknown.

use core::time::Duration;

use super::*;

/// Looks again soon.
const NOT_TOLD_HOW_LONG: NotAcquired = NotAcquired::Busy { remaining: Some(Duration::ZERO) };

impl LockMachine {
    pub(super) fn first_try(
        &mut self,
        now: Instant,
        request: AcquireRequest,
    ) -> Action<LockOutcome> {
        let token = self.token_for(&request);
        let held = IfHeld::Unsaid;
        let attempt = Attempt { request, number: 1, token, sent_at: now, ambiguous: false, held };
        self.send(now, attempt)
    }

    pub(super) fn try_again(&mut self, now: Instant, mut attempt: Attempt) -> Action<LockOutcome> {
        attempt.number += 1;
        attempt.sent_at = now;
        attempt.held = match self.if_held(&attempt.request) {
            IfHeld::Say => IfHeld::Unsaid,
            wait => wait,
        };
        if attempt.request.token.is_none() {
            attempt.token = self.tokens.next_in_series();
        }
        self.send(now, attempt)
    }

    pub(super) fn acquire_replied(
        &mut self,
        now: Instant,
        mut attempt: Attempt,
        result: Result<LockReply, StoreError>,
    ) -> Action<LockOutcome> {
        match result {
            Ok(LockReply::Acquired { fence, fresh: false }) if attempt.request.token.is_some() => {
                self.confirm(now, attempt, fence)
            }
            Ok(LockReply::Acquired { fence, .. }) => self.secure(now, attempt, fence),
            Ok(LockReply::Busy { remaining_ms }) => {
                let remaining = remaining_ms.map(Duration::from_millis);
                self.wait(now, attempt, NotAcquired::Busy { remaining })
            }
            // The same token again: an earlier copy that took the lock has taken it since `sent_at`.
            Ok(LockReply::Taken) if self.is_lean() && attempt.held == IfHeld::Unsaid => {
                attempt.held = self.if_held(&attempt.request);
                self.send(now, attempt)
            }
            Ok(LockReply::Revoked) if attempt.request.token.is_some() => {
                self.end(now, attempt, NotAcquired::Revoked)
            }
            // A copy of this try was told *busy*, which this one was not told: the try is over.
            Ok(LockReply::Revoked) => self.wait(now, attempt, NOT_TOLD_HOW_LONG),
            Err(StoreError::Rejected(rejection)) => {
                self.end(now, attempt, NotAcquired::Rejected(rejection))
            }
            Err(error @ StoreError::NotSent(_)) => {
                self.wait(now, attempt, NotAcquired::Unavailable(error))
            }
            other => {
                attempt.ambiguous = true;
                let outcome = NotAcquired::Unavailable(unexpected(other));
                self.not_sure(now, attempt, outcome)
            }
        }
    }

    pub(super) fn clear_replied(
        &mut self,
        now: Instant,
        clearing: Clearing,
        result: Result<LockReply, StoreError>,
    ) -> Action<LockOutcome> {
        match result {
            Ok(LockReply::NotHeld | LockReply::Released) => match *clearing.then {
                Next::Stop => Action::Done(LockOutcome::Stopped),
                Next::End(why) => not_acquired(why),
                Next::Retry(mut attempt, outcome) => {
                    attempt.ambiguous = false;
                    self.wait(now, attempt, outcome)
                }
                Next::Start(request) => self.begin(now, request),
            },
            other => {
                let error = unexpected(other);
                let final_answer = matches!(error, StoreError::Rejected(_));
                if clearing.tries >= RELEASE_TRIES || final_answer || now >= clearing.until {
                    return self.not_cleared(now, clearing, error);
                }
                let until = clearing.until;
                self.state = State::ClearPause(clearing);
                self.sleep_until(now, self.config.defaults.delay_us, until)
            }
        }
    }

    /// Takes `token` out of the store, whether or not it is there, and goes on with `then`.
    pub(super) fn clear(&mut self, now: Instant, token: Token, then: Next) -> Action<LockOutcome> {
        let until = match &then {
            Next::Retry(Attempt { request, .. }, _)
            | Next::Start(LockRequest::Acquire(request)) => request.deadline(),
            Next::End(_) | Next::Start(_) | Next::Stop => Instant::NEVER,
        };
        self.send_clear(now, Clearing { token, tries: 0, until, then: Box::new(then) })
    }

    pub(super) fn send_clear(
        &mut self,
        now: Instant,
        mut clearing: Clearing,
    ) -> Action<LockOutcome> {
        clearing.tries += 1;
        let (command, until) = (self.release_command(&clearing.token), clearing.until);
        self.state = State::Clearing(clearing);
        self.call(now, until, command)
    }

    /// Goes on without having cleaned up; the machine remembers.
    fn not_cleared(
        &mut self,
        now: Instant,
        clearing: Clearing,
        error: StoreError,
    ) -> Action<LockOutcome> {
        self.leftover = Some(clearing.token);
        Action::Done(match *clearing.then {
            Next::Stop => LockOutcome::Stopped,
            Next::End(_) | Next::Retry(..) | Next::Start(LockRequest::Acquire(_)) => {
                LockOutcome::Acquire(Err(NotAcquired::Unknown(error)))
            }
            Next::Start(LockRequest::Extend { .. }) => {
                LockOutcome::Extend(Err(ExtendError::Unknown(error)))
            }
            Next::Start(LockRequest::Release) => {
                LockOutcome::Release(Err(ReleaseError::Unknown(error)))
            }
            Next::Start(LockRequest::Status) => LockOutcome::Status(Err(error)),
            // What was left is not the lease that is kept.
            Next::Start(LockRequest::Keep) => return self.begin(now, LockRequest::Keep),
        })
    }

    fn token_for(&mut self, request: &AcquireRequest) -> Token {
        let tokens = &mut self.tokens;
        let next = if self.goes_on { Tokens::next_in_series } else { Tokens::fresh };
        request.token.clone().unwrap_or_else(|| {
            self.goes_on = true;
            next(tokens)
        })
    }

    fn send(&mut self, now: Instant, attempt: Attempt) -> Action<LockOutcome> {
        debug_assert!(self.grant.is_none(), "the lease before was given up");
        debug_assert!(
            attempt.request.token.is_some() || !attempt.ambiguous,
            "a token of ours that may be under the key is released before the next is sent"
        );
        debug_assert!(
            attempt.request.wait.is_some() || attempt.number <= attempt.request.attempts,
            "no more tries than asked for"
        );
        let useless_at = self.useless_at(attempt.sent_at, &attempt);
        let (keys, token) = (self.config.keys.clone(), attempt.token.clone());
        let lease_ms = attempt.request.lease_ms;
        let command = match self.config.guarantee {
            Guarantee::Full => LockCommand::Acquire {
                keys,
                token,
                lease_ms,
                fence_life_ms: self.config.fence_life_ms.max(lease_ms),
                tombstone_ms: self.config.tombstone_ms,
            },
            Guarantee::Lean => {
                LockCommand::AcquireLean { keys, token, lease_ms, held: attempt.held }
            }
        };
        self.state = State::Acquiring(attempt);
        self.call(now, useless_at, command)
    }

    pub(super) fn is_lean(&self) -> bool {
        self.config.guarantee == Guarantee::Lean
    }

    /// What a lean try is to find out if the lock is held. It is noted that somebody waits only if
    /// there is a subscription, until the next look.
    fn if_held(&self, request: &AcquireRequest) -> IfHeld {
        match request.wait {
            Some(wait) if wait.subscribed == Some(true) => {
                IfHeld::Wait(self.config.longest_pause_ms(request))
            }
            _ => IfHeld::Say,
        }
    }

    /// A caller's own token may have been under the key since an earlier attempt, or for a lease
    /// of its past: only an extension makes the time certain.
    fn confirm(&mut self, now: Instant, mut attempt: Attempt, fence: Fence) -> Action<LockOutcome> {
        attempt.sent_at = now;
        attempt.ambiguous = true;
        let (keys, token) = (self.config.keys.clone(), attempt.token.clone());
        let lease_ms = attempt.request.lease_ms;
        let useless_at = self.useless_at(now, &attempt);
        self.state = State::Confirming(attempt, fence);
        self.call(now, useless_at, LockCommand::Extend { keys, token, lease_ms })
    }

    /// When a reply to what is sent now would come too late.
    pub(super) fn useless_at(&self, now: Instant, attempt: &Attempt) -> Instant {
        self.deadline(now, attempt.request.lease_ms).min(attempt.request.deadline())
    }

    pub(super) fn confirm_replied(
        &mut self,
        now: Instant,
        attempt: Attempt,
        fence: Fence,
        result: Result<LockReply, StoreError>,
    ) -> Action<LockOutcome> {
        match result {
            Ok(LockReply::Extended) => self.secure(now, attempt, fence),
            other => {
                let error = match other {
                    Ok(LockReply::NotHeld) => StoreError::Unknown(Cause::TIMED_OUT),
                    other => unexpected(other),
                };
                self.wait(now, attempt, NotAcquired::Unavailable(error))
            }
        }
    }

    pub(super) fn taken(
        &mut self,
        now: Instant,
        mut attempt: Attempt,
        fence: Fence,
        replicas: u32,
    ) -> Action<LockOutcome> {
        let lease_ms = attempt.request.lease_ms;
        let mut grant = self.granted(attempt.token.clone(), fence, lease_ms, attempt.sent_at);
        grant.replicas = replicas;
        debug_assert_eq!(self.grant, None, "one lease at a time");
        if now < grant.deadline {
            self.grant = Some(grant.clone());
            return Action::Done(LockOutcome::Acquire(Ok(grant)));
        }
        attempt.ambiguous = true;
        let late = NotAcquired::Unavailable(StoreError::Unknown(Cause::TIMED_OUT));
        self.not_sure(now, attempt, late)
    }

    /// After a try that may have left its token under the key. A caller's own token is kept, since
    /// cleaning it up would spend it.
    pub(super) fn not_sure(
        &mut self,
        now: Instant,
        attempt: Attempt,
        outcome: NotAcquired,
    ) -> Action<LockOutcome> {
        if now >= attempt.request.deadline() || attempt.request.token.is_some() {
            self.wait(now, attempt, outcome)
        } else {
            self.clear(now, attempt.token.clone(), Next::Retry(attempt, outcome))
        }
    }
}
