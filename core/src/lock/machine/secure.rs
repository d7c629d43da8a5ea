//! Waiting for the replicas, where a lease must be on some before it counts.

use super::*;

impl LockMachine {
    /// What was granted counts once it is on enough copies.
    pub(super) fn secure(
        &mut self,
        now: Instant,
        mut attempt: Attempt,
        fence: Fence,
    ) -> Action<LockOutcome> {
        if self.config.replicas == 0 {
            return self.taken(now, attempt, fence, 0);
        }
        attempt.ambiguous = true;
        let useless_at = self.useless_at(attempt.sent_at, &attempt);
        self.state = State::Securing(attempt, fence);
        self.call_confirm(now, useless_at)
    }

    pub(super) fn secured(
        &mut self,
        now: Instant,
        attempt: Attempt,
        fence: Fence,
        result: Result<LockReply, StoreError>,
    ) -> Action<LockOutcome> {
        let wanted = self.config.replicas;
        match result {
            Ok(LockReply::Confirmed { replicas }) if replicas >= wanted => {
                self.taken(now, attempt, fence, replicas)
            }
            Ok(LockReply::Confirmed { replicas: got }) => {
                self.end(now, attempt, NotAcquired::NotDurable { wanted, got })
            }
            Err(StoreError::Rejected(rejection)) => {
                self.end(now, attempt, NotAcquired::Rejected(rejection))
            }
            other => {
                let outcome = NotAcquired::Unavailable(unexpected(other));
                self.not_sure(now, attempt, outcome)
            }
        }
    }

    /// The same for an extension or a renewal.
    pub(super) fn secure_extension(
        &mut self,
        now: Instant,
        extension: Extension,
        renewal: bool,
    ) -> Action<LockOutcome> {
        debug_assert!(self.config.replicas > 0, "without replicas, nothing is to be awaited");
        let deadline = self.grant.as_ref().map_or(now, |grant| grant.deadline);
        self.state = State::SecuringExtension(extension, renewal);
        self.call_confirm(now, deadline)
    }

    pub(super) fn extension_secured(
        &mut self,
        now: Instant,
        mut extension: Extension,
        renewal: bool,
        result: Result<LockReply, StoreError>,
    ) -> Action<LockOutcome> {
        let wanted = self.config.replicas;
        let result = match result {
            Ok(LockReply::Confirmed { replicas }) if replicas >= wanted => {
                extension.replicas = replicas;
                Ok(LockReply::Extended)
            }
            Ok(LockReply::Confirmed { replicas }) => Err(StoreError::Unknown(Cause::Other(
                format!("{replicas} of {wanted} replicas acknowledged in time").into(),
            ))),
            other => Err(unexpected(other)),
        };
        if renewal {
            self.renewed(now, &extension, result)
        } else {
            self.extension_done(now, &extension, result)
        }
    }

    /// The server waits for its replicas, and we for the server.
    fn call_confirm(&self, now: Instant, useless_at: Instant) -> Action<LockOutcome> {
        let (keys, replicas) = (self.config.keys.clone(), self.config.replicas);
        let timeout_ms = self.config.confirm_ms;
        let timeout_at = now.plus_micros(timeout_ms * 1_000 + self.config.call_timeout_us);
        let command = LockCommand::Confirm { keys, replicas, timeout_ms };
        let give_up_at = timeout_at.min(useless_at).max(now);
        Action::Call { command: Command::Lock(command), give_up_at }
    }
}
