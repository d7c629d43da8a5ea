//! Ending a run.

use super::*;

impl DebounceMachine {
    pub(super) fn finish(&mut self, now: Instant, success: bool) -> Action<DebounceOutcome> {
        let Some(run) = self.run.take() else {
            return Action::Done(if success {
                DebounceOutcome::Succeed(Err(Unsettled::TakenOver))
            } else {
                DebounceOutcome::Fail(NextRun::TakenOver)
            });
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
        self.ask(now, command, Purpose::Finish { success, seq, deadline })
    }
}
