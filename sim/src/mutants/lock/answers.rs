//! What the store answers, as the machine is told of it.

use leasehold_core::{
    Action, Event, Instant, Machine, Reply, StoreError,
    lock::{
        Holder, LockCommand, LockMachine, LockOutcome, LockReply, LockRequest, NotAcquired,
        ReleaseError,
    },
};

use super::{Detour, LockBug, Sent, call};
use crate::mutants::Mutant;

type Answer = Result<Reply, StoreError>;

/// How many times one command is sent by who sends it again.
const SENDS: u8 = 3;

/// An unsigned number that went below zero, in µs: an hour is more than a run has.
const WRAPPED: u64 = 3_600_000_000;

impl LockBug {
    pub(super) fn replied(
        &mut self,
        machine: &mut LockMachine,
        now: Instant,
        result: Answer,
    ) -> Action<LockOutcome> {
        let Some(sent) = self.sent.take() else {
            return self.pass(machine, now, Event::Replied(result));
        };
        match (&sent.command, &result) {
            (LockCommand::Acquire { .. }, Ok(Reply::Lock(LockReply::Revoked)))
                if self.mutant == Mutant::BusyIsSpent =>
            {
                let _never_tried_again = machine.step(now, Event::Stop);
                Action::Done(LockOutcome::Acquire(Err(NotAcquired::Revoked)))
            }
            (LockCommand::Extend { .. }, Ok(Reply::Lock(LockReply::Extended)))
                if self.mutant == Mutant::SecuredFromReply && self.keeping =>
            {
                self.unsecured = Some(sent);
                self.pass(machine, now, Event::Replied(result))
            }
            (LockCommand::Confirm { .. }, Ok(_)) if self.unsecured.is_some() => {
                self.secured(machine, now, result)
            }
            (LockCommand::Release { .. }, Err(error)) if self.mutant == Mutant::ForgottenDoubt => {
                let error = error.clone();
                self.release_unanswered(machine, now, error)
            }
            (LockCommand::Acquire { .. }, Ok(Reply::Lock(LockReply::Acquired { .. }))) => {
                self.acquired(machine, now, sent, result)
            }
            (LockCommand::Acquire { .. }, Err(StoreError::Unknown(_))) => {
                self.acquire_unanswered(machine, now, sent, result)
            }
            (LockCommand::Extend { keys, token, .. }, Err(StoreError::Unknown(_)))
                if self.mutant == Mutant::FailedExtendReleases =>
            {
                let (keys, token) = (keys.clone(), token.clone());
                self.detour = Some(Detour::Then(Event::Replied(result)));
                let give_up_at = now.plus_micros(sent.patience);
                call(LockCommand::Release { keys, token, tombstone_ms: 10_000 }, give_up_at)
            }
            (LockCommand::Extend { .. }, Err(_))
                if self.mutant == Mutant::RenewalGivesUp && self.keeping =>
            {
                Action::SleepUntil(Instant::NEVER)
            }
            _ => self.pass(machine, now, Event::Replied(result)),
        }
    }

    fn acquired(
        &mut self,
        machine: &mut LockMachine,
        now: Instant,
        sent: Sent,
        result: Answer,
    ) -> Action<LockOutcome> {
        let LockCommand::Acquire { keys, token, lease_ms, .. } = &sent.command else {
            unreachable!("only an acquire is answered so");
        };
        let lease_us = lease_ms * 1_000;
        self.work_ends = Some(sent.at.plus_micros(lease_us / 2 * 3));
        let event = Event::Replied(result);
        match self.mutant {
            Mutant::ExpireAfterwards => {
                let (keys, token, lease_ms) = (keys.clone(), token.clone(), *lease_ms);
                self.detour = Some(Detour::Then(event));
                let give_up_at = now.plus_micros(sent.patience);
                call(LockCommand::Extend { keys, token, lease_ms }, give_up_at)
            }
            Mutant::DeadlineFromReply => {
                as_if_sent_at(machine, now, &sent);
                self.pass(machine, now, event)
            }
            // As if no time had passed.
            Mutant::NoValidityCheck => self.pass(machine, sent.at, event),
            Mutant::ValidityUnderflows if now >= sent.at.plus_micros(lease_us) => {
                let later = now.plus_micros(WRAPPED);
                as_if_sent_at(machine, later, &sent);
                self.pass(machine, later, event)
            }
            _ => self.pass(machine, now, event),
        }
    }

    /// The renewal is answered as if it had been sent only now.
    fn secured(
        &mut self,
        machine: &mut LockMachine,
        now: Instant,
        result: Answer,
    ) -> Action<LockOutcome> {
        if let Some(sent) = self.unsecured.take() {
            let mut later = sent.before.clone();
            let extended = Event::Replied(Ok(Reply::Lock(LockReply::Extended)));
            // Unless the lease is over.
            if let Action::Call { .. } = later.step(now, sent.event)
                && let Action::Call { .. } = later.step(now, extended)
            {
                *machine = later;
            }
        }
        self.pass(machine, now, Event::Replied(result))
    }

    /// The last try alone says whether the release may have been applied.
    fn release_unanswered(
        &mut self,
        machine: &mut LockMachine,
        now: Instant,
        error: StoreError,
    ) -> Action<LockOutcome> {
        let unsent = matches!(error, StoreError::NotSent(_));
        match self.pass(machine, now, Event::Replied(Err(error))) {
            Action::Done(LockOutcome::Release(Err(ReleaseError::Unknown(error)))) if unsent => {
                Action::Done(LockOutcome::Release(Err(ReleaseError::Unavailable(error))))
            }
            action => action,
        }
    }

    fn acquire_unanswered(
        &mut self,
        machine: &mut LockMachine,
        now: Instant,
        sent: Sent,
        result: Answer,
    ) -> Action<LockOutcome> {
        match (self.mutant, result) {
            (Mutant::LostReplyIsBusy, _) => {
                let reply = LockReply::Busy { remaining_ms: None };
                let _never_tried_again = machine.step(now, Event::Replied(Ok(Reply::Lock(reply))));
                let _forgotten = machine.step(now, Event::Stop);
                let busy = NotAcquired::Busy { remaining: None };
                Action::Done(LockOutcome::Acquire(Err(busy)))
            }
            (Mutant::LostReplyIsUnsent, Err(StoreError::Unknown(cause))) => {
                self.pass(machine, now, Event::Replied(Err(StoreError::NotSent(cause))))
            }
            (Mutant::CancelledCleanUp, result) => {
                let _never_sent = machine.step(now, Event::Replied(result));
                let done = Ok(Reply::Lock(LockReply::NotHeld));
                self.pass(machine, now, Event::Replied(done))
            }
            (Mutant::CountedReentry, _) if self.sends < SENDS => {
                self.sends += 1;
                let again = call(sent.command.clone(), now.plus_micros(sent.patience));
                self.sent = Some(sent);
                again
            }
            (Mutant::ReusedToken, _) if self.sends < SENDS => {
                self.sends += 1;
                as_if_sent_at(machine, now, &sent);
                let again = call(sent.command.clone(), now.plus_micros(sent.patience));
                self.sent = Some(sent);
                again
            }
            (_, result) => self.pass(machine, now, Event::Replied(result)),
        }
    }

    /// What the bug asked on its own account is answered.
    pub(super) fn detoured(
        &mut self,
        machine: &mut LockMachine,
        now: Instant,
        detour: Detour,
        result: Answer,
    ) -> Action<LockOutcome> {
        match (detour, result) {
            (Detour::Then(event), _) => self.pass(machine, now, event),
            (Detour::Look(command), Ok(Reply::Lock(LockReply::Holder(Holder::Us { .. })))) => {
                let patience = self.sent.as_ref().map_or(0, |sent| sent.patience);
                call(command, now.plus_micros(patience))
            }
            (Detour::Look(_), result) => {
                let answer = result.map(|_| Reply::Lock(LockReply::NotHeld));
                self.pass(machine, now, Event::Replied(answer))
            }
        }
    }
}

/// Has the machine say again, at `at`, what it said before: its lease counts from there.
fn as_if_sent_at(machine: &mut LockMachine, at: Instant, sent: &Sent) {
    machine.clone_from(&sent.before);
    let event: Event<LockRequest> = sent.event.clone();
    let _the_same_again = machine.step(at, event);
}
