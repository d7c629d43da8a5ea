//! The record's rules, natively: what the Lua scripts do on a server.

use alloc::sync::Arc;

use super::{DebounceCommand, DebounceReply, DebounceStatus, Retention, Timing};
use crate::token::{Fence, Token};

/// One key's record, for stores that do not run Lua. Times are in **microseconds** on the store's
/// clock.
///
/// The scripts are the authority; a test holds the two together, field by field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DebounceRecord {
    /// The newest call.
    pub seq: u64,
    /// The newest call that a successful run covered.
    pub fired: u64,
    /// The newest call that was run or cancelled.
    pub done: u64,
    /// The last run's fence.
    pub fence: u64,
    /// What waits to run.
    pub pending: Option<Pending>,
    /// What runs, or ran until its lease was over.
    pub running: Option<Running>,
    /// When the first call of the burst, or of the window, came.
    pub first_us: u64,
    /// The newest call's wait.
    pub wait_us: u64,
    /// The shortest of the burst's longest waits.
    pub max_wait_ms: Option<u64>,
    /// Until when a further call is not a leading one.
    pub window_us: u64,
}

/// What waits to run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pending {
    /// The newest call's arguments.
    pub args: Arc<[u8]>,
    /// When they are due.
    pub due_us: u64,
    /// Whether they were due at once, which further calls do not change.
    pub leading: bool,
}

/// A run under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Running {
    /// Its name.
    pub runner: Token,
    /// The newest call that it covers.
    pub seq: u64,
    /// That call's arguments.
    pub args: Arc<[u8]>,
    /// When its lease is over.
    pub until_us: u64,
    /// How long its lease was.
    pub lease_us: u64,
}

/// How a request was answered, kept under [`DebounceKeys::memo`](super::DebounceKeys::memo).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Memo {
    /// A call got this number.
    Armed(u64),
    /// A call did not count.
    Suppressed,
    /// A run counted.
    Finished,
    /// A run failed and is due again.
    Rearmed,
    /// A run failed after it was cancelled.
    Dropped,
    /// A run had lost its claim.
    Stale,
    /// Whether something waited when it was to be cancelled or flushed.
    Waited(bool),
}

/// What a command did, besides changing the record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Applied {
    /// The answer.
    pub reply: DebounceReply,
    /// The memo to keep for [`Retention::memo_ms`], if it is new.
    pub memo: Option<Memo>,
    /// How long the record lives from now, if that changes.
    pub life: Option<Life>,
}

/// How long a record lives from now, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Life {
    /// So long.
    Exactly(u64),
    /// So long, or longer if it did already.
    AtLeast(u64),
}

impl DebounceRecord {
    /// Applies `command` at `now_us`, given what the memo that it names says. A record that has
    /// expired is [`DebounceRecord::default`].
    pub fn apply(&mut self, now_us: u64, memo: Option<Memo>, command: &DebounceCommand) -> Applied {
        match command {
            DebounceCommand::Call { args, seq, timing, retention, .. } => {
                self.call(now_us, memo, args, *seq, timing, retention)
            }
            DebounceCommand::Claim { runner, seq, run_lease_ms, retention, .. } => {
                self.claim(now_us, memo.is_some(), runner, *seq, *run_lease_ms, retention)
            }
            DebounceCommand::Finish { .. } => self.finish(now_us, memo, command),
            DebounceCommand::Cancel { retention, .. } => self.cancel(now_us, memo, retention),
            DebounceCommand::Flush { .. } => self.flush(now_us, memo),
            DebounceCommand::Inspect { .. } => answer(DebounceReply::Status(DebounceStatus {
                newest: self.seq,
                fired: self.fired,
                done: self.done,
                due_in_ms: self.pending.as_ref().map(|pending| ms(now_us, pending.due_us)),
                running_ms: self.running.as_ref().map(|running| ms(now_us, running.until_us)),
            })),
        }
    }

    fn call(
        &mut self,
        now: u64,
        memo: Option<Memo>,
        args: &Arc<[u8]>,
        again: u64,
        timing: &Timing,
        retention: &Retention,
    ) -> Applied {
        let due_in_ms = self.due_in_ms(now);
        match memo {
            Some(Memo::Suppressed) if again == 0 => {
                return answer(DebounceReply::Suppressed {
                    reopens_in_ms: ms(now, self.window_us),
                });
            }
            Some(Memo::Armed(seq)) if again == 0 => {
                return answer(DebounceReply::Armed { seq, due_in_ms });
            }
            _ if again > 0 && self.knows(again) => {
                return answer(DebounceReply::Armed { seq: again, due_in_ms });
            }
            _ => {}
        }
        if self.pending.is_none() && self.window_us > now && !timing.trailing {
            return self.suppress(now, timing, retention);
        }
        self.arm(now, args, again, timing);
        let due_us = self.pending.as_ref().map_or(now, |pending| pending.due_us);
        let lease_end = self.running.as_ref().map_or(0, |running| running.until_us);
        let life = ms(now, due_us.max(self.window_us).max(lease_end)) + retention.armed_ms;
        let seq = if again > 0 { again } else { self.seq };
        Applied {
            reply: DebounceReply::Armed { seq, due_in_ms: ms(now, due_us) },
            memo: Some(Memo::Armed(seq)),
            life: Some(Life::Exactly(life)),
        }
    }

    fn suppress(&mut self, now: u64, timing: &Timing, retention: &Retention) -> Applied {
        self.first_us = self.first_us.min(now);
        let max = self.max_wait_ms.or(timing.max_wait_ms);
        self.window_us = bounded(now + timing.wait_ms * 1_000, self.first_us, max);
        let reopens_in_ms = ms(now, self.window_us);
        Applied {
            reply: DebounceReply::Suppressed { reopens_in_ms },
            memo: Some(Memo::Suppressed),
            life: Some(Life::AtLeast(reopens_in_ms + retention.memo_ms)),
        }
    }

    fn arm(&mut self, now: u64, args: &Arc<[u8]>, again: u64, timing: &Timing) {
        let wait_us = timing.wait_ms * 1_000;
        if self.pending.is_some() {
            self.first_us = self.first_us.min(now);
            self.max_wait_ms = match (self.max_wait_ms, timing.max_wait_ms) {
                (Some(before), Some(given)) => Some(before.min(given)),
                (before, given) => before.or(given),
            }
            .filter(|max| *max > 0);
        } else {
            // The number is also the time of the call, unless the clock was set back.
            self.first_us = if again > 0 { again.min(now) } else { now };
            self.max_wait_ms = timing.max_wait_ms;
        }
        let later = bounded(now + wait_us, self.first_us, self.max_wait_ms);
        let (due_us, leading) = match &self.pending {
            Some(pending) if pending.leading => (pending.due_us.min(now), true),
            None if self.window_us <= now && timing.leading => (now, true),
            _ => (later, false),
        };
        self.window_us = if leading { later } else { due_us };
        self.seq = if again > 0 { self.seq.max(again) } else { now.max(self.seq + 1) };
        self.wait_us = wait_us;
        self.pending = Some(Pending { args: args.clone(), due_us, leading });
    }

    /// Whether the call numbered `seq` is settled, waits or runs.
    fn knows(&self, seq: u64) -> bool {
        let runs = self.running.as_ref().is_some_and(|running| running.seq >= seq);
        self.done >= seq || self.seq >= seq && (self.pending.is_some() || runs)
    }

    fn claim(
        &mut self,
        now: u64,
        revoked: bool,
        runner: &Token,
        asked: u64,
        lease_ms: u64,
        retention: &Retention,
    ) -> Applied {
        self.bound_by(now);
        let running = self.running.as_ref().filter(|running| running.until_us > now);
        let covered = running.is_some_and(|running| running.seq >= asked);
        if asked > 0 && (self.fired >= asked || self.done >= asked && !covered) {
            return answer(DebounceReply::Settled { fired: self.fired, done: self.done });
        }
        if self.seq < asked {
            return answer(DebounceReply::Missing);
        }
        if revoked {
            return answer(DebounceReply::Revoked);
        }
        if let Some(running) = running {
            return answer(self.in_progress(now, runner, running));
        }
        let Some((seq, args, due_us)) = self.claimable(now) else {
            let nothing = if asked > 0 { DebounceReply::Missing } else { DebounceReply::Idle };
            return answer(nothing);
        };
        if due_us > now {
            let due_in_ms = ms(now, due_us);
            return answer(DebounceReply::NotDue { due_in_ms, newest: seq });
        }
        let (lease_us, runner) = (lease_ms * 1_000, runner.clone());
        self.fence = now.max(self.fence + 1);
        let until_us = now + lease_us;
        self.running = Some(Running { runner, seq, args: args.clone(), until_us, lease_us });
        self.pending = None;
        let life = ms(now, until_us.max(self.window_us)) + retention.armed_ms;
        let fence = Fence(self.fence);
        Applied {
            reply: DebounceReply::Claimed { seq, fence, args, remaining_ms: lease_ms },
            memo: None,
            life: Some(Life::Exactly(life)),
        }
    }

    /// A clock that was set back holds nothing up for longer than was asked for.
    fn bound_by(&mut self, now: u64) {
        let wait_us = self.wait_us;
        if let Some(pending) = &mut self.pending {
            pending.due_us = pending.due_us.min(now + wait_us);
        }
        if let Some(running) = &mut self.running {
            running.until_us = running.until_us.min(now + running.lease_us);
        }
    }

    fn in_progress(&self, now: u64, runner: &Token, running: &Running) -> DebounceReply {
        if running.runner == *runner {
            DebounceReply::Claimed {
                seq: running.seq,
                fence: Fence(self.fence),
                args: running.args.clone(),
                remaining_ms: (running.until_us - now) / 1_000,
            }
        } else {
            let remaining_ms = ms(now, running.until_us);
            DebounceReply::Running { remaining_ms, newest: self.seq }
        }
    }

    /// The newest call that waits, or that a runner left behind whose lease is over.
    fn claimable(&self, now: u64) -> Option<(u64, Arc<[u8]>, u64)> {
        if let Some(pending) = &self.pending {
            return Some((self.seq, pending.args.clone(), pending.due_us));
        }
        let left = self.running.as_ref().filter(|running| running.seq > self.done)?;
        Some((left.seq, left.args.clone(), now))
    }

    fn finish(&mut self, now: u64, memo: Option<Memo>, command: &DebounceCommand) -> Applied {
        let DebounceCommand::Finish { runner, seq, fence, success, retry_ms, retention, .. } =
            command
        else {
            unreachable!("only the end of a run is given")
        };
        if let Some(memo) = memo {
            return answer(self.finished(now, memo));
        }
        let mine = self.running.as_ref().is_some_and(|running| running.runner == *runner);
        let memo = if *success && (mine || fence.0 > self.fence) {
            self.settle(*seq, fence.0);
            Memo::Finished
        } else if !*success && mine {
            self.rearm(now, *retry_ms)
        } else {
            Memo::Stale
        };
        if mine {
            self.running = None;
        }
        let life = (memo != Memo::Stale).then(|| Life::Exactly(self.life_ms(now, retention)));
        Applied { reply: self.finished(now, memo), memo: Some(memo), life }
    }

    fn finished(&self, now: u64, memo: Memo) -> DebounceReply {
        match memo {
            Memo::Finished => DebounceReply::Finished,
            Memo::Rearmed => DebounceReply::Rearmed { due_in_ms: self.due_in_ms(now) },
            Memo::Dropped => DebounceReply::Dropped,
            Memo::Armed(_) | Memo::Stale | Memo::Suppressed | Memo::Waited(_) => {
                DebounceReply::Stale
            }
        }
    }

    /// A record with an older fence has forgotten the claim, and nobody claimed since.
    fn settle(&mut self, ran: u64, fence: u64) {
        self.pending.take_if(|_| self.seq <= ran);
        self.seq = self.seq.max(ran);
        self.fired = self.fired.max(ran);
        self.done = self.done.max(ran);
        self.fence = self.fence.max(fence);
    }

    fn rearm(&mut self, now: u64, retry_ms: u64) -> Memo {
        if self.pending.is_some() {
            return Memo::Rearmed;
        }
        match &self.running {
            Some(running) if running.seq > self.done => {
                let (args, due_us) = (running.args.clone(), now + retry_ms * 1_000);
                self.wait_us = retry_ms * 1_000;
                self.pending = Some(Pending { args, due_us, leading: false });
                Memo::Rearmed
            }
            _ => Memo::Dropped,
        }
    }

    fn cancel(&mut self, now: u64, memo: Option<Memo>, retention: &Retention) -> Applied {
        if let Some(memo) = memo {
            return answer(DebounceReply::Cancelled { pending: memo == Memo::Waited(true) });
        }
        let lapsed = |running: &Running| running.until_us <= now && running.seq > self.done;
        let pending = self.pending.is_some() || self.running.as_ref().is_some_and(lapsed);
        let mut life = None;
        if self.seq > 0 {
            self.done = self.seq;
            self.pending = None;
            self.window_us = 0;
            let lease_end = self.running.as_ref().map_or(0, |running| running.until_us);
            life = Some(Life::Exactly(ms(now, lease_end) + retention.settled_ms));
        }
        let memo = Some(Memo::Waited(pending));
        Applied { reply: DebounceReply::Cancelled { pending }, memo, life }
    }

    fn flush(&mut self, now: u64, memo: Option<Memo>) -> Applied {
        if let Some(memo) = memo {
            return answer(DebounceReply::Flushed { pending: memo == Memo::Waited(true) });
        }
        if let Some(pending) = &mut self.pending {
            pending.due_us = now;
            self.window_us = now;
        }
        let pending = self.pending.is_some();
        let memo = Some(Memo::Waited(pending));
        Applied { reply: DebounceReply::Flushed { pending }, memo, life: None }
    }

    fn due_in_ms(&self, now: u64) -> u64 {
        self.pending.as_ref().map_or(0, |pending| ms(now, pending.due_us))
    }

    fn life_ms(&self, now: u64, retention: &Retention) -> u64 {
        let due_us = self.pending.as_ref().map_or(0, |pending| pending.due_us);
        let lease_end = self.running.as_ref().map_or(0, |running| running.until_us);
        let armed = self.pending.is_some() || self.running.is_some();
        let life_ms = if armed { retention.armed_ms } else { retention.settled_ms };
        life_ms + ms(now, due_us.max(lease_end).max(self.window_us))
    }
}

fn answer(reply: DebounceReply) -> Applied {
    Applied { reply, memo: None, life: None }
}

fn bounded(at: u64, first_us: u64, max_wait_ms: Option<u64>) -> u64 {
    max_wait_ms.map_or(at, |max| at.min(first_us + max * 1_000))
}

/// Whole milliseconds from `now` to `at`, rounded up; zero if it has passed.
fn ms(now: u64, at: u64) -> u64 {
    at.saturating_sub(now).div_ceil(1_000)
}
