//! Ending a run.

use super::*;

impl DebounceMachine {
    pub(super) fn finish(&mut self, now: Instant, success: bool) -> Action<DebounceOutcome> {
        let Some(run) = self.run.take() else {
            return Action::Done(DebounceOutcome::TakenOver);
        };
        let (seq, deadline) = (run.claim.seq, run.claim.deadline);
        let command = DebounceCommand::Finish {
            keys: self.config.keys.clone(),
            runner: run.runner,
            seq,
            fence: run.claim.fence,
            success,
            retry_ms: self.config.retry_ms,
            retention: self.config.retention,
        };
        self.ask(now, command, Purpose::Finish { seq, deadline })
    }
}

/// What the end of a run that covered calls up to `seq` came to.
pub(super) fn outcome(seq: u64, reply: &DebounceReply) -> DebounceOutcome {
    match *reply {
        DebounceReply::Finished => DebounceOutcome::Fired { seq },
        DebounceReply::Rearmed { due_in_ms } => DebounceOutcome::Rearmed { due_in_ms },
        DebounceReply::Dropped => DebounceOutcome::Cancelled,
        DebounceReply::Stale => DebounceOutcome::TakenOver,
        _ => unreachable!("{reply:?} was checked to answer"),
    }
}
