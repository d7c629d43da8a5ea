//! One debounced call's record and memos, each with the time at which it expires.

use std::collections::{HashMap, VecDeque};

use crate::{
    debounce::{DebounceCommand, DebounceRecord, DebounceReply, Life, Memo, memo_name},
    time::Instant,
    token::Token,
};

/// How many requests of one id are remembered; the oldest go first. Within a process, no request
/// lingers in a network, so this many is generous.
const MOST_MEMOS: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct DebounceEntry {
    record: DebounceRecord,
    expires: Instant,
    memos: HashMap<Token, (Memo, Instant)>,
    /// The memos as they were made. Each is made once.
    order: VecDeque<(Token, Instant)>,
}

/// The debounced call that a command is about.
pub(super) fn id(command: &DebounceCommand) -> &str {
    match command {
        DebounceCommand::Call { keys, .. }
        | DebounceCommand::Cancel { keys, .. }
        | DebounceCommand::Claim { keys, .. }
        | DebounceCommand::Finish { keys, .. }
        | DebounceCommand::Flush { keys, .. }
        | DebounceCommand::Inspect { keys } => keys.id(),
    }
}

impl DebounceEntry {
    pub(super) fn apply(&mut self, now: Instant, command: &DebounceCommand) -> DebounceReply {
        self.expire(now);
        let name = memo_name(command);
        let memo = name.and_then(|name| self.memos.get(name)).filter(|(_, expires)| now < *expires);
        let applied = self.record.apply(now.as_micros(), memo.map(|(memo, _)| *memo), command);
        if let Some(life) = applied.life {
            self.expires = match life {
                Life::Exactly(life_ms) => after(now, life_ms),
                Life::AtLeast(life_ms) => self.expires.max(after(now, life_ms)),
            };
        }
        if let (Some(name), Some(memo)) = (name, applied.memo) {
            let expires = after(now, memo_ms(command));
            self.order.push_back((name.clone(), expires));
            self.memos.insert(name.clone(), (memo, expires));
        }
        applied.reply
    }

    /// How many of its keys are alive at `now`.
    pub(super) fn live_keys(&self, now: Instant) -> usize {
        usize::from(now < self.expires)
            + self.memos.values().filter(|(_, expires)| now < *expires).count()
    }

    /// Forgets what has expired. The memos of one id nearly always live equally long, so the oldest
    /// expires first; if not, a dead one waits for its elders and is not seen meanwhile.
    fn expire(&mut self, now: Instant) {
        if now >= self.expires {
            self.record = DebounceRecord::default();
        }
        while let Some((_, expires)) = self.order.front()
            && (now >= *expires || self.order.len() > MOST_MEMOS)
        {
            let (name, expires) = self.order.pop_front().expect("it has a front");
            // Put back since, it expires later.
            if self.memos.get(&name).is_some_and(|(_, newest)| *newest == expires) {
                self.memos.remove(&name);
            }
        }
    }
}

fn memo_ms(command: &DebounceCommand) -> u64 {
    match command {
        DebounceCommand::Call { retention, .. }
        | DebounceCommand::Cancel { retention, .. }
        | DebounceCommand::Claim { retention, .. }
        | DebounceCommand::Finish { retention, .. }
        | DebounceCommand::Flush { retention, .. } => retention.memo_ms,
        DebounceCommand::Inspect { .. } => 0,
    }
}

fn after(now: Instant, millis: u64) -> Instant {
    now.plus_micros(millis.saturating_mul(1_000))
}
