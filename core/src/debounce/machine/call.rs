//! Arming a call, waiting until it is due, and claiming it.

use super::*;
use crate::token::Fence;

impl DebounceMachine {
    pub(super) fn first_call(&mut self, now: Instant, args: Arc<[u8]>) -> Action<DebounceOutcome> {
        let call = Call { id: self.tokens.fresh(), args, seq: 0 };
        let participant = self.participant(now, Some(call));
        self.arm(now, participant)
    }

    pub(super) fn sweep(&mut self, now: Instant) -> Action<DebounceOutcome> {
        let participant = self.participant(now, None);
        self.look(now, participant)
    }

    pub(super) fn armed(
        &mut self,
        now: Instant,
        mut participant: Participant,
        seq: u64,
        due_in_ms: u64,
    ) -> Action<DebounceOutcome> {
        if let Some(call) = &mut participant.call {
            call.seq = seq;
        }
        if due_in_ms == 0 {
            self.look(now, participant)
        } else {
            self.wait(now, participant, due_in_ms, due_in_ms * 1_000)
        }
    }

    /// Claims what is due.
    pub(super) fn look(
        &mut self,
        now: Instant,
        participant: Participant,
    ) -> Action<DebounceOutcome> {
        let command = DebounceCommand::Claim {
            keys: self.config.keys.clone(),
            runner: participant.runner.clone(),
            seq: participant.seq(),
            run_lease_ms: self.config.run_lease_ms,
            retention: self.config.retention,
        };
        self.ask(now, command, Purpose::Claim(participant))
    }

    /// The replies to a claim.
    pub(super) fn looked(
        &mut self,
        now: Instant,
        question: Question,
        reply: DebounceReply,
    ) -> Action<DebounceOutcome> {
        use DebounceReply as R;
        let (sent_at, ambiguous) = (question.sent_at, question.ambiguous);
        let held = |mut it: Participant| {
            it.may_hold |= ambiguous;
            it
        };
        match (question.purpose, reply) {
            (Purpose::Claim(it), R::Claimed { seq, fence, args, remaining_ms }) => {
                let lease_us = remaining_ms.saturating_mul(1_000);
                let usable_us = lease_us.saturating_sub(self.config.margin(lease_us));
                let claim = Claim { seq, fence, args, deadline: sent_at.plus_micros(usable_us) };
                self.claimed(now, held(it), claim)
            }
            (Purpose::Claim(it), R::NotDue { due_in_ms, newest }) => {
                self.not_yet(now, held(it), due_in_ms, newest)
            }
            (Purpose::Claim(it), R::Running { remaining_ms, newest }) => {
                self.another_runs(now, held(it), remaining_ms, newest)
            }
            (Purpose::Claim(it), R::Settled { fired, .. }) if it.call.is_some() => {
                Action::Done(DebounceOutcome::Call(Ok(settled(it.seq(), fired))))
            }
            (Purpose::Claim(it), R::Revoked) => self.under_another_name(now, it),
            (Purpose::Claim(it), R::Idle | R::Missing) if it.call.is_some() => {
                self.put_back(now, held(it))
            }
            (Purpose::Claim(it), R::Idle) => {
                let idle = SweepOutcome::Idle { due_in_ms: None };
                self.leave(now, held(it), DebounceOutcome::Sweep(Ok(idle)))
            }
            (purpose, reply) => {
                self.failed(now, Question { purpose, ..question }, no_answer(&reply))
            }
        }
    }

    /// The runner was finished before, so its claim does not stand.
    fn under_another_name(
        &mut self,
        now: Instant,
        mut participant: Participant,
    ) -> Action<DebounceOutcome> {
        participant.runner = self.tokens.fresh();
        participant.may_hold = false;
        self.wait(now, participant, 0, 0)
    }

    /// Tells the server first if a claim may stand that nobody will run.
    pub(super) fn leave(
        &mut self,
        now: Instant,
        participant: Participant,
        outcome: DebounceOutcome,
    ) -> Action<DebounceOutcome> {
        match self.owed_by(participant) {
            Some(command) => self.give_back(now, command, Next::End(outcome)),
            None => Action::Done(outcome),
        }
    }

    fn leave_until(
        &mut self,
        now: Instant,
        participant: Participant,
        due_in_ms: u64,
    ) -> Action<DebounceOutcome> {
        let outcome = participant.leaves(due_in_ms);
        self.leave(now, participant, outcome)
    }

    pub(super) fn owed_by(&self, participant: Participant) -> Option<DebounceCommand> {
        participant.may_hold.then(|| self.give_back_command(participant.runner))
    }

    pub(super) fn give_back(
        &mut self,
        now: Instant,
        command: DebounceCommand,
        next: Next,
    ) -> Action<DebounceOutcome> {
        self.ask(now, command, Purpose::GiveBack(Box::new(next)))
    }

    pub(super) fn give_back_command(&self, runner: Token) -> DebounceCommand {
        DebounceCommand::Finish {
            keys: self.config.keys.clone(),
            runner,
            seq: 0,
            fence: Fence(0),
            success: false,
            retry_ms: 0,
            retention: self.config.retention,
        }
    }

    fn participant(&mut self, now: Instant, call: Option<Call>) -> Participant {
        Participant {
            call,
            runner: self.tokens.fresh(),
            may_hold: false,
            leave_at: now.plus_micros(self.config.within_us),
            looks: 0,
        }
    }

    fn arm(&mut self, now: Instant, participant: Participant) -> Action<DebounceOutcome> {
        let call = participant.call.as_ref().expect("only a caller arms");
        let command = DebounceCommand::Call {
            keys: self.config.keys.clone(),
            call: call.id.clone(),
            args: call.args.clone(),
            seq: call.seq,
            timing: self.config.timing,
            retention: self.config.retention,
        };
        self.ask(now, command, Purpose::Arm(participant))
    }

    /// The record has lost the call. A caller whose time is over cannot tell a record that was
    /// lost from one that was settled long ago.
    fn put_back(&mut self, now: Instant, participant: Participant) -> Action<DebounceOutcome> {
        if now < participant.leave_at {
            return self.arm(now, participant);
        }
        let cause = Cause::Other("the record of the call is gone".into());
        let outcome = participant.failed(StoreError::Unknown(cause));
        self.leave(now, participant, outcome)
    }

    fn claimed(
        &mut self,
        now: Instant,
        mut participant: Participant,
        claim: Claim,
    ) -> Action<DebounceOutcome> {
        debug_assert!(self.run.is_none(), "one run at a time");
        if now < claim.deadline {
            let outcome = participant.claimed(claim.clone());
            self.run = Some(Run { runner: participant.runner, claim });
            return Action::Done(outcome);
        }
        let late = core::mem::replace(&mut participant.runner, self.tokens.fresh());
        participant.may_hold = false;
        let command = self.give_back_command(late);
        self.give_back(now, command, Next::Look(participant))
    }

    fn not_yet(
        &mut self,
        now: Instant,
        mut participant: Participant,
        due_in_ms: u64,
        newest: u64,
    ) -> Action<DebounceOutcome> {
        participant.looks = 0;
        let Some(call) = &participant.call else {
            return self.leave_until(now, participant, due_in_ms);
        };
        let superseded = newest > call.seq;
        if superseded && self.config.leave_when_superseded {
            return self.leave_until(now, participant, due_in_ms);
        }
        // A backup comes a little later than the newest caller.
        let later_us = if superseded { self.backoff(0) } else { 0 };
        self.wait(now, participant, due_in_ms, due_in_ms.saturating_mul(1_000) + later_us)
    }

    fn another_runs(
        &mut self,
        now: Instant,
        mut participant: Participant,
        remaining_ms: u64,
        newest: u64,
    ) -> Action<DebounceOutcome> {
        let Some(call) = &participant.call else {
            return self.leave_until(now, participant, remaining_ms);
        };
        if newest > call.seq && self.config.leave_when_superseded {
            return self.leave_until(now, participant, remaining_ms);
        }
        participant.looks = participant.looks.saturating_add(1);
        let soon_us = self.backoff(participant.looks - 1).min(remaining_ms.saturating_mul(1_000));
        self.wait(now, participant, remaining_ms, soon_us)
    }

    /// Sleeps before the next look, or leaves if that would come too late.
    fn wait(
        &mut self,
        now: Instant,
        participant: Participant,
        due_in_ms: u64,
        sleep_us: u64,
    ) -> Action<DebounceOutcome> {
        let wake_at = now.plus_micros(sleep_us.max(1));
        if wake_at > participant.leave_at {
            return self.leave_until(now, participant, due_in_ms);
        }
        self.state = State::Waiting(participant);
        Action::SleepUntil(wake_at)
    }
}

/// What became of the call numbered `seq`, when the newest that ran is `fired`.
fn settled(seq: u64, fired: u64) -> CallOutcome {
    match fired.cmp(&seq) {
        core::cmp::Ordering::Equal => CallOutcome::FiredElsewhere,
        core::cmp::Ordering::Greater => CallOutcome::Superseded { by: fired },
        core::cmp::Ordering::Less => CallOutcome::Cancelled,
    }
}
