//! What the caller asks for, and what is sent because of it.

use leasehold_core::{
    Action, Event, Instant,
    lock::{LockCommand, LockMachine, LockOutcome, LockRequest},
};

use super::{Detour, LockBug, Sent, call};
use crate::mutants::Mutant;

impl LockBug {
    pub(super) fn started(
        &mut self,
        machine: &mut LockMachine,
        now: Instant,
        request: LockRequest,
    ) -> Action<LockOutcome> {
        self.keeping = request == LockRequest::Keep;
        let unanswered = self.sent.take().map(|sent| sent.command);
        match (self.mutant, request) {
            (Mutant::FixedOwner, LockRequest::Acquire(_)) => {
                let request = machine.config().acquire().token(self.fixed.clone());
                let request = request.expect("the token has no number");
                self.pass(machine, now, Event::Start(LockRequest::Acquire(request)))
            }
            (Mutant::HeartbeatRearms, LockRequest::Release) => {
                self.heartbeat =
                    unanswered.filter(|command| matches!(command, LockCommand::Extend { .. }));
                self.pass(machine, now, Event::Start(LockRequest::Release))
            }
            (_, request) => match self.heartbeat.take() {
                Some(heartbeat) => {
                    self.detour = Some(Detour::Then(Event::Start(request)));
                    call(heartbeat, now.plus_micros(300_000))
                }
                None => self.pass(machine, now, Event::Start(request)),
            },
        }
    }

    /// Sends what the machine says, or something like it.
    pub(super) fn say(
        &mut self,
        now: Instant,
        (before, event): (LockMachine, Event<LockRequest>),
        command: LockCommand,
        give_up_at: Instant,
    ) -> Action<LockOutcome> {
        let patience = give_up_at.as_micros() - now.as_micros();
        self.sent = Some(Sent { command: command.clone(), at: now, patience, before, event });
        match (self.mutant, command) {
            (Mutant::TwoTripRelease, LockCommand::Release { keys, token, tombstone_ms }) => {
                let look = LockCommand::Inspect { keys: keys.clone(), token: Some(token.clone()) };
                self.detour =
                    Some(Detour::Look(LockCommand::Release { keys, token, tombstone_ms }));
                call(look, give_up_at)
            }
            // Nobody looks at the time, so nobody gives up.
            (
                Mutant::NoTimeOut | Mutant::NoValidityCheck | Mutant::ValidityUnderflows,
                command @ LockCommand::Acquire { .. },
            ) => call(command, Instant::NEVER),
            (Mutant::LossOnReplyOnly, command @ LockCommand::Extend { .. }) if self.keeping => {
                call(command, Instant::NEVER)
            }
            (Mutant::NoPositiveCheck, LockCommand::Extend { keys, token, lease_ms }) => {
                let is_over = self.work_ends.is_some_and(|end| now >= end);
                let lease_ms = if is_over { 0 } else { lease_ms };
                call(LockCommand::Extend { keys, token, lease_ms }, give_up_at)
            }
            (_, command) => call(command, give_up_at),
        }
    }
}
