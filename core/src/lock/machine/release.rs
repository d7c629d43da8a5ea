//! Giving the lock up.

use super::*;

impl LockMachine {
    pub(super) fn release(&mut self, now: Instant) -> Action<LockOutcome> {
        let was_held = self.grant.as_ref().is_some_and(|grant| now < grant.until);
        let held = self.grant.take().map(|grant| grant.token);
        match held.or_else(|| self.leftover.take()) {
            None => told(Ok(Released::NotHeld)),
            Some(token) => {
                self.send_release(now, Releasing { token, tries: 0, ambiguous: false, was_held })
            }
        }
    }

    pub(super) fn send_release(
        &mut self,
        now: Instant,
        mut releasing: Releasing,
    ) -> Action<LockOutcome> {
        debug_assert!(self.grant.is_none(), "what is being released does not count any more");
        releasing.tries += 1;
        debug_assert!(releasing.tries <= RELEASE_TRIES, "it is sent so often and no more");
        let command = self.release_command(&releasing.token);
        self.state = State::Releasing(releasing);
        self.call(now, Instant::NEVER, command)
    }

    pub(super) fn release_replied(
        &mut self,
        now: Instant,
        mut releasing: Releasing,
        result: Result<LockReply, StoreError>,
    ) -> Action<LockOutcome> {
        let error = match result {
            Ok(LockReply::Released) => return told(Ok(Released::Released)),
            // No tombstone remembers what became of the try whose reply was lost, but the key was not
            // over yet when it was sent.
            Ok(LockReply::NotHeld)
                if self.is_lean() && releasing.ambiguous && releasing.was_held =>
            {
                return told(Ok(Released::Released));
            }
            Ok(LockReply::NotHeld) => return told(Ok(Released::NotHeld)),
            other => unexpected(other),
        };
        releasing.ambiguous |= matches!(error, StoreError::Unknown(_));
        if releasing.tries < RELEASE_TRIES && !matches!(error, StoreError::Rejected(_)) {
            self.state = State::ReleasePause(releasing);
            return self.sleep(now, self.config.defaults.delay_us);
        }
        self.leftover = Some(releasing.token);
        told(Err(if releasing.ambiguous {
            ReleaseError::Unknown(error)
        } else {
            ReleaseError::of(error)
        }))
    }

    pub(super) fn release_command(&self, token: &Token) -> LockCommand {
        let (keys, token) = (self.config.keys.clone(), token.clone());
        match self.config.guarantee {
            Guarantee::Full => {
                LockCommand::Release { keys, token, tombstone_ms: self.config.tombstone_ms }
            }
            Guarantee::Lean => LockCommand::ReleaseLean { keys, token },
        }
    }
}

fn told(result: Result<Released, ReleaseError>) -> Action<LockOutcome> {
    Action::Done(LockOutcome::Release(result))
}
