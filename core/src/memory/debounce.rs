//! One debounced call's record and memos, each with the time at which it expires.

use std::collections::{HashMap, VecDeque};

use super::records::Expires;
use crate::{
    debounce::{
        DebounceCommand, DebounceReply,
        record::{DebounceRecord, Life, Memo},
    },
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

impl DebounceEntry {
    pub(super) fn apply(&mut self, now: Instant, command: &DebounceCommand) -> DebounceReply {
        self.expire(now);
        let name = command.name();
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

impl Expires for DebounceEntry {
    fn expires(&self) -> Instant {
        self.memos.values().map(|(_, expires)| *expires).fold(self.expires, Instant::max)
    }

    fn live_keys(&self, now: Instant) -> usize {
        usize::from(now < self.expires)
            + self.memos.values().filter(|(_, expires)| now < *expires).count()
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

#[cfg(test)]
mod tests {
    use std::{format, sync::Arc};

    use super::*;
    use crate::debounce::{DebounceKeys, Retention, Timing};

    const START: Instant = Instant::from_micros(1_000_000);

    fn call(name: &str, memo_ms: u64) -> DebounceCommand {
        DebounceCommand::Call {
            keys: Arc::new(DebounceKeys::of("job")),
            call: Token::new(name).unwrap(),
            args: b"".as_slice().into(),
            seq: 0,
            timing: Timing { wait_ms: 1, max_wait_ms: None, leading: false, trailing: true },
            retention: Retention { armed_ms: 20, settled_ms: 20, memo_ms },
        }
    }

    /// The number that a call is given.
    fn seq(reply: DebounceReply) -> u64 {
        match reply {
            DebounceReply::Armed { seq, .. } => seq,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_call_that_comes_again_keeps_its_number_while_its_memo_lives() {
        let mut entry = DebounceEntry::default();
        let mut at = |micros| seq(entry.apply(START.plus_micros(micros), &call("a", 5)));
        let first = at(0);
        assert_eq!(at(4_999), first);
        assert_ne!(at(5_000), first, "to the last microsecond, and not one more");
    }

    #[test]
    fn a_dead_memo_behind_a_living_one_is_not_seen() {
        let mut entry = DebounceEntry::default();
        let mut at =
            |micros, name, life| seq(entry.apply(START.plus_micros(micros), &call(name, life)));
        at(0, "elder", 10);
        let first = at(0, "younger", 5);
        assert_eq!(at(4_999, "younger", 5), first);
        assert_ne!(at(5_000, "younger", 5), first);
    }

    #[test]
    fn the_record_and_each_memo_are_keys_as_long_as_they_live() {
        let mut entry = DebounceEntry::default();
        entry.apply(START, &call("a", 5));
        entry.apply(START, &call("b", 5));
        let alive = |micros| entry.live_keys(START.plus_micros(micros));
        assert_eq!([alive(0), alive(4_999), alive(5_000)], [3, 3, 1]);
        assert_eq!([alive(20_999), alive(21_000)], [1, 0], "so long after it is due");
        entry.apply(START.plus_micros(5_000), &call("c", 5));
        assert_eq!(entry.memos.len(), 1, "the dead are gone");
    }

    #[test]
    fn of_very_many_requests_the_oldest_are_forgotten() {
        let mut entry = DebounceEntry::default();
        for number in 0..MOST_MEMOS + 9 {
            entry.apply(START, &call(&format!("{number}"), 5));
        }
        assert_eq!(entry.memos.len(), MOST_MEMOS + 1, "and the last one");
        assert!(!entry.memos.contains_key(&Token::new("7").unwrap()));
        assert!(entry.memos.contains_key(&Token::new("8").unwrap()));
    }
}
