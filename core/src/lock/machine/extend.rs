//! Moving the deadline, once or again and again.

use super::*;
use crate::lock::config::LONGEST_MS;

impl LockMachine {
    pub(super) fn extend(&mut self, now: Instant, by_ms: u64) -> Action<LockOutcome> {
        let Some(grant) = self.live_grant(now) else {
            return Action::Done(LockOutcome::Extend(Err(ExtendError::Lost(LossReason::Expired))));
        };
        // The sum is made here and sent as a target, so that a copy of the command adds nothing.
        let rest_us = grant.until.as_micros() - now.as_micros();
        let lease_ms = (rest_us / 1_000).saturating_add(by_ms).min(LONGEST_MS);
        let (useless_at, command) = self.extend_command(lease_ms);
        self.state = State::Extending(Extension { sent_at: now, lease_ms, replicas: 0 });
        self.call(now, useless_at, command)
    }

    pub(super) fn extend_replied(
        &mut self,
        now: Instant,
        extension: Extension,
        renewal: bool,
        result: Result<LockReply, StoreError>,
    ) -> Action<LockOutcome> {
        if result == Ok(LockReply::Extended) && self.config.replicas > 0 {
            self.secure_extension(now, extension, renewal)
        } else if renewal {
            self.renewed(now, &extension, result)
        } else {
            self.extension_done(now, &extension, result)
        }
    }

    pub(super) fn extension_done(
        &mut self,
        now: Instant,
        extension: &Extension,
        result: Result<LockReply, StoreError>,
    ) -> Action<LockOutcome> {
        Action::Done(LockOutcome::Extend(match self.extended(now, extension, result) {
            Ok(Ok(grant)) => Ok(grant),
            Ok(Err(reason)) => Err(ExtendError::Lost(reason)),
            Err(error) => Err(ExtendError::of(error)),
        }))
    }

    /// Renews at each third of the lease, and again at each ninth after a failure.
    pub(super) fn keep(&mut self, now: Instant) -> Action<LockOutcome> {
        let limit = self.config.max_renewals.is_some_and(|limit| self.renewals >= limit);
        let Some(grant) = self.live_grant(now) else {
            let reason = if limit { LossReason::RenewalLimit } else { LossReason::Expired };
            return Action::Done(LockOutcome::Keep(reason));
        };
        let (until, deadline, lease_ms) = (grant.until, grant.deadline, grant.lease_ms);
        if limit {
            self.state = State::KeepSleeping;
            return Action::SleepUntil(deadline);
        }
        let renew_at = Instant::from_micros(until.as_micros() - lease_ms * 1_000 / 3 * 2);
        if now < renew_at {
            self.state = State::KeepSleeping;
            return Action::SleepUntil(renew_at.min(deadline));
        }
        let (useless_at, command) = self.extend_command(lease_ms);
        self.state = State::Renewing(Extension { sent_at: now, lease_ms, replicas: 0 });
        self.call(now, useless_at, command)
    }

    pub(super) fn renewed(
        &mut self,
        now: Instant,
        extension: &Extension,
        result: Result<LockReply, StoreError>,
    ) -> Action<LockOutcome> {
        match self.extended(now, extension, result) {
            Ok(Ok(_)) => {
                self.renewals += 1;
                self.keep(now)
            }
            Ok(Err(reason)) => Action::Done(LockOutcome::Keep(reason)),
            Err(_) => {
                // One failure is not a loss: the lease stands until its deadline.
                let retry_at = now.plus_micros(extension.lease_ms * 1_000 / 9);
                let deadline = self.grant.as_ref().map_or(now, |grant| grant.deadline);
                self.state = State::KeepSleeping;
                Action::SleepUntil(retry_at.min(deadline))
            }
        }
    }

    fn live_grant(&self, now: Instant) -> Option<&Grant> {
        self.grant.as_ref().filter(|grant| now < grant.deadline)
    }

    fn extend_command(&self, lease_ms: u64) -> (Instant, LockCommand) {
        let grant = self.grant.as_ref().expect("only a live grant is extended");
        let (keys, token) = (self.config.keys.clone(), grant.token.clone());
        (grant.deadline, LockCommand::Extend { keys, token, lease_ms })
    }

    fn extended(
        &mut self,
        now: Instant,
        extension: &Extension,
        result: Result<LockReply, StoreError>,
    ) -> Result<Result<Grant, LossReason>, StoreError> {
        let old = self.grant.clone().expect("only a live grant is extended");
        match result {
            // What the server says of a lease that is over here may be about a later copy of it.
            _ if now >= old.deadline => Ok(Err(LossReason::Expired)),
            Ok(LockReply::Extended) => {
                let Extension { sent_at, lease_ms, replicas } = *extension;
                let mut grant = self.granted(old.token, old.fence, lease_ms, sent_at);
                grant.lease_ms = old.lease_ms;
                grant.replicas = replicas;
                debug_assert!(old.until <= grant.until, "an extension never shortens a lease");
                debug_assert_eq!(old.fence, grant.fence, "an extension keeps the fence");
                self.grant = Some(grant.clone());
                Ok(Ok(grant))
            }
            Ok(LockReply::NotHeld) => {
                self.grant = None;
                self.leftover = Some(old.token);
                Ok(Err(LossReason::Taken))
            }
            other => Err(unexpected(other)),
        }
    }
}
