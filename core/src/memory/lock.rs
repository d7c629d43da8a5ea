//! One lock's record: what the Lua scripts keep in three kinds of keys.

use alloc::sync::Arc;
use std::collections::{HashMap, VecDeque};

use super::records::Expires;
use crate::{
    lock::{Holder, LockCommand, LockReply},
    time::Instant,
    token::{Fence, Token},
};

/// How many series of one lock have a tombstone; the oldest go first. Within a process, no request
/// lingers in a network, so this many is generous.
const MOST_TOMBSTONES: usize = 1_024;

/// A lock, its last fence and its tombstones, each with the time at which it expires.
#[derive(Debug, Default)]
pub(super) struct LockRecord {
    holder: Option<(Token, Instant)>,
    fence: Option<(u64, Instant)>,
    /// By series: see [`Token::series`].
    tombstones: HashMap<Arc<str>, Tombstone>,
    /// The tombstones as they were made. One that was made again is in here twice.
    order: VecDeque<(Arc<str>, Instant)>,
}

#[derive(Debug)]
struct Tombstone {
    expires: Instant,
    /// This token of the series is revoked, and those before it.
    number: u64,
    /// Whether it was under the key.
    released: bool,
}

impl LockRecord {
    pub(super) fn apply(&mut self, now: Instant, command: LockCommand) -> LockReply {
        self.expire(now);
        match command {
            LockCommand::Acquire { token, lease_ms, fence_life_ms, tombstone_ms, .. } => {
                self.acquire(now, token, lease_ms, fence_life_ms, tombstone_ms)
            }
            LockCommand::AcquireLean { token, lease_ms, .. } => {
                self.acquire_lean(now, token, lease_ms)
            }
            LockCommand::ReleaseLean { token, .. } => self.release_lean(&token),
            LockCommand::Extend { token, lease_ms, .. } => self.extend(now, &token, lease_ms),
            LockCommand::RaiseFence { token, fence, fence_life_ms, .. } => {
                self.raise_fence(now, &token, fence, fence_life_ms)
            }
            // There is nothing that could be lost, and nothing that has a copy.
            LockCommand::Confirm { .. } => LockReply::Confirmed { replicas: 0 },
            LockCommand::Release { token, tombstone_ms, .. } => {
                self.release(now, &token, tombstone_ms)
            }
            LockCommand::Inspect { token, .. } => {
                LockReply::Holder(self.inspect(now, token.as_ref()))
            }
        }
    }

    fn acquire(
        &mut self,
        now: Instant,
        token: Token,
        lease_ms: u64,
        life_ms: u64,
        tombstone_ms: u64,
    ) -> LockReply {
        let (series, number) = token.series();
        if self.tombstone(now, series).is_some_and(|tombstone| tombstone.number >= number) {
            return LockReply::Revoked;
        }
        if let Some((holder, expires)) = &self.holder
            && *holder != token
        {
            let remaining_ms = Some(millis_left(now, *expires));
            if number > 0 {
                self.make_tombstone(
                    series,
                    Tombstone { expires: after(now, tombstone_ms), number, released: false },
                );
            }
            return LockReply::Busy { remaining_ms };
        }
        let fresh = self.holder.is_none();
        if let Some((last, _)) = self.fence
            && !fresh
        {
            return LockReply::Acquired { fence: Fence(last), fresh };
        }
        if fresh {
            self.holder = Some((token, after(now, lease_ms)));
        }
        LockReply::Acquired { fence: self.next_fence(now, life_ms), fresh }
    }

    /// To keep the last fence for as long as a lease costs nothing here, and then no two grants in
    /// one microsecond have the same.
    fn acquire_lean(&mut self, now: Instant, token: Token, lease_ms: u64) -> LockReply {
        match &self.holder {
            Some((holder, expires)) if *holder != token => {
                LockReply::Busy { remaining_ms: Some(millis_left(now, *expires)) }
            }
            holder => {
                let fresh = holder.is_none();
                if fresh {
                    self.holder = Some((token, after(now, lease_ms)));
                }
                LockReply::Acquired { fence: self.next_fence(now, lease_ms), fresh }
            }
        }
    }

    fn release_lean(&mut self, token: &Token) -> LockReply {
        match self.holder.take_if(|(holder, _)| holder == token) {
            Some(_) => LockReply::Released,
            None => LockReply::NotHeld,
        }
    }

    fn next_fence(&mut self, now: Instant, life_ms: u64) -> Fence {
        let (last, expires) = self.fence.unwrap_or((0, Instant::ORIGIN));
        let fence = now.as_micros().max(last + 1);
        self.fence = Some((fence, after(now, life_ms).max(expires)));
        Fence(fence)
    }

    fn extend(&mut self, now: Instant, token: &Token, lease_ms: u64) -> LockReply {
        match &mut self.holder {
            Some((holder, expires)) if holder == token => {
                *expires = (*expires).max(after(now, lease_ms));
                LockReply::Extended
            }
            _ => LockReply::NotHeld,
        }
    }

    fn raise_fence(
        &mut self,
        now: Instant,
        token: &Token,
        least: Fence,
        life_ms: u64,
    ) -> LockReply {
        if self.holder.as_ref().is_none_or(|(holder, _)| holder != token) {
            return LockReply::NotHeld;
        }
        if self.fence.is_none_or(|(last, _)| last < least.0) {
            self.fence = Some((least.0, after(now, life_ms)));
        }
        LockReply::FenceRaised
    }

    fn release(&mut self, now: Instant, token: &Token, tombstone_ms: u64) -> LockReply {
        let (series, number) = token.series();
        let held = self.holder.take_if(|(holder, _)| holder == token).is_some();
        let tombstone = self.tombstone(now, series);
        let before =
            tombstone.is_some_and(|tombstone| tombstone.number == number && tombstone.released);
        let released = held || before;
        if tombstone.is_none_or(|tombstone| tombstone.number <= number) {
            self.make_tombstone(
                series,
                Tombstone { expires: after(now, tombstone_ms), number, released },
            );
        }
        if released { LockReply::Released } else { LockReply::NotHeld }
    }

    fn inspect(&self, now: Instant, ours: Option<&Token>) -> Holder {
        match &self.holder {
            None => Holder::Free,
            Some((holder, expires)) => {
                let remaining_ms = Some(millis_left(now, *expires));
                if ours == Some(holder) {
                    Holder::Us { remaining_ms }
                } else {
                    Holder::Other { remaining_ms }
                }
            }
        }
    }

    fn tombstone(&self, now: Instant, series: &str) -> Option<&Tombstone> {
        self.tombstones.get(series).filter(|tombstone| now < tombstone.expires)
    }

    fn make_tombstone(&mut self, series: &str, tombstone: Tombstone) {
        let series: Arc<str> = series.into();
        self.order.push_back((series.clone(), tombstone.expires));
        self.tombstones.insert(series, tombstone);
    }

    /// Forgets what has expired. The tombstones of one lock nearly always live equally long, so the
    /// oldest expires first; if not, a dead one waits for its elders and is not seen meanwhile.
    fn expire(&mut self, now: Instant) {
        self.holder.take_if(|(_, expires)| now >= *expires);
        self.fence.take_if(|(_, expires)| now >= *expires);
        while let Some((_, expires)) = self.order.front()
            && (now >= *expires || self.order.len() > MOST_TOMBSTONES)
        {
            let (series, expires) = self.order.pop_front().expect("it has a front");
            // Made again since, it expires later.
            if self.tombstones.get(&series).is_some_and(|newest| newest.expires == expires) {
                self.tombstones.remove(&series);
            }
        }
    }
}

impl Expires for LockRecord {
    fn expires(&self) -> Instant {
        let holder = self.holder.iter().map(|(_, expires)| *expires);
        let fence = self.fence.iter().map(|(_, expires)| *expires);
        let tombstones = self.tombstones.values().map(|tombstone| tombstone.expires);
        holder.chain(fence).chain(tombstones).max().unwrap_or_default()
    }

    fn live_keys(&self, now: Instant) -> usize {
        usize::from(self.holder.as_ref().is_some_and(|(_, expires)| now < *expires))
            + usize::from(self.fence.is_some_and(|(_, expires)| now < expires))
            + self.tombstones.values().filter(|tombstone| now < tombstone.expires).count()
    }
}

fn after(now: Instant, millis: u64) -> Instant {
    now.plus_micros(millis.saturating_mul(1_000))
}

/// Rounded up: a key that is alive has some time left.
fn millis_left(now: Instant, expires: Instant) -> u64 {
    (expires.as_micros() - now.as_micros()).div_ceil(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::LockKeys;

    fn keys() -> Arc<LockKeys> {
        Arc::new(LockKeys::of("job"))
    }

    fn acquire(token: &str) -> LockCommand {
        let (keys, token) = (keys(), Token::new(token).unwrap());
        LockCommand::Acquire { keys, token, lease_ms: 10, fence_life_ms: 10, tombstone_ms: 10 }
    }

    fn release(token: &str, tombstone_ms: u64) -> LockCommand {
        LockCommand::Release { keys: keys(), token: Token::new(token).unwrap(), tombstone_ms }
    }

    #[test]
    fn a_tombstone_lives_no_longer_than_it_should_though_an_older_one_does() {
        let mut record = LockRecord::default();
        record.apply(Instant::ORIGIN, release("older", 20));
        record.apply(Instant::ORIGIN, release("mine", 10));
        let reply = record.apply(Instant::from_micros(9_999), acquire("mine"));
        assert_eq!(reply, LockReply::Revoked);
        let reply = record.apply(Instant::from_micros(10_000), acquire("mine"));
        assert!(matches!(reply, LockReply::Acquired { fresh: true, .. }), "{reply:?}");
    }

    #[test]
    fn a_fence_that_is_great_enough_lives_no_longer_for_being_asked() {
        let mut record = LockRecord::default();
        let start = Instant::from_micros(1);
        assert!(matches!(record.apply(start, acquire("mine")), LockReply::Acquired { .. }));
        let (token, fence) = (Token::new("mine").unwrap(), Fence(1));
        let raise = LockCommand::RaiseFence { keys: keys(), token, fence, fence_life_ms: 10 };
        assert_eq!(record.apply(start.plus_micros(5_000), raise), LockReply::FenceRaised);
        assert_eq!(record.live_keys(start.plus_micros(9_999)), 2, "the lock and its fence");
        assert_eq!(record.live_keys(start.plus_micros(10_000)), 0);
    }
}
