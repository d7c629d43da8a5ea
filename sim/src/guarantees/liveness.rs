//! Every call ends by its deadline, pauses of its process aside, and once faults are long over, those
//! who ask are served, and do not wait long for a lock that nobody holds.

use super::{CLIENTS, Checker, SLACK, SharedHistory};
use crate::{
    decide::Fault,
    history::{Answer, Ask, Client, Event, TokenId},
};

/// The longest that a lease of a past fault and the polls after it may keep everybody waiting.
const CONVALESCENCE: u64 = 2_500_000;

/// How often a client that is told no may ask in a calm world before that is called starving.
const REFUSALS: u32 = 6;

/// How long whoever waits in a calm world may be left waiting for a lock that nobody holds.
const VACANCY: u64 = 500_000;

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Liveness {
    /// By each client and kind, the call under way.
    pending: [[Option<Pending>; 3]; CLIENTS],
    /// Under which token each client believes that it holds the lock.
    held: [Option<TokenId>; CLIENTS],
    /// Since when nobody does.
    vacant_since: u64,
    healed_at: Option<u64>,
    /// Since when the key is as it is.
    key_since: u64,
    refused: [u32; CLIENTS],
    served: [bool; CLIENTS],
    /// Whether anybody was told anything once all was calm.
    pub(super) exercised: bool,
}

#[derive(Clone, Copy, Debug, Hash)]
struct Pending {
    since: u64,
    /// When it must have ended.
    by: u64,
}

impl Checker for Liveness {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        match *event {
            Event::Asked { client, ask, by } => {
                self.pending[usize::from(client)][ask as usize] = Some(Pending { since: at, by });
            }
            Event::Held { client, token, .. } => {
                self.served_soon(at, shared)?;
                self.held[usize::from(client)] = Some(token);
            }
            Event::Ended { client, token, .. } if self.held[usize::from(client)] == Some(token) => {
                self.held[usize::from(client)] = None;
                self.vacant_since = at;
            }
            Event::Returned { client, ask, answer, .. } => {
                self.served_soon(at, shared)?;
                self.ended_in_time(at, client)?;
                self.pending[usize::from(client)][ask as usize] = None;
                if ask == Ask::Acquire {
                    self.count(at, client, answer, shared);
                }
            }
            Event::Injected { fault: Fault::ClientCrash, client: Some(client), .. } => {
                self.pending[usize::from(client)] = [None; 3];
            }
            Event::Injected { fault: Fault::ClientPause, client: Some(client), until, .. } => {
                // A process that stands still does not wait.
                for pending in self.pending[usize::from(client)].iter_mut().flatten() {
                    pending.by = pending.by.saturating_add(until.saturating_sub(at));
                }
            }
            Event::Key { before, after, .. } if before != after => {
                if self.calm().is_none_or(|calm| self.key_since < calm) {
                    self.vacant_since = at;
                }
                self.key_since = at;
            }
            Event::Healed => self.healed_at = Some(at),
            Event::Finished => {
                self.served_soon(at, shared)?;
                return self.finish(at);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Liveness {
    fn ended_in_time(&self, at: u64, client: Client) -> Result<(), String> {
        let first = self.pending[usize::from(client)].iter().flatten().map(|call| call.by).min();
        match first {
            Some(by) if at > by.saturating_add(SLACK) => Err(format!(
                "a call of client {client} has not ended {} ms after the time that bounds it",
                (at - by) / 1_000
            )),
            _ => Ok(()),
        }
    }

    /// From when on the world is calm.
    fn calm(&self) -> Option<u64> {
        self.healed_at.map(|healed| healed + CONVALESCENCE)
    }

    /// Whether nobody was left waiting for a lock that nobody held.
    fn served_soon(&self, at: u64, shared: &SharedHistory) -> Result<(), String> {
        let Some(calm) = self.calm().filter(|calm| at > *calm) else { return Ok(()) };
        if self.held.iter().any(Option::is_some) || self.is_orphaned(at, calm, shared) {
            return Ok(());
        }
        for (client, pending) in self.pending.iter().enumerate() {
            let Some(waiting) = pending[Ask::Acquire as usize] else { continue };
            let since = waiting.since.max(self.vacant_since).max(calm);
            if at > since + VACANCY {
                return Err(format!(
                    "client {client} waits for {} ms for a lock that nobody holds",
                    (at - since) / 1_000
                ));
            }
        }
        Ok(())
    }

    /// Whether the key is of a lease from before all was calm: if it lasts too long, that is another
    /// guarantee's business.
    fn is_orphaned(&self, at: u64, calm: u64, shared: &SharedHistory) -> bool {
        self.key_since < calm && shared.key.is_some_and(|(_, until)| at < until && until < u64::MAX)
    }

    fn count(&mut self, at: u64, client: Client, answer: Answer, shared: &SharedHistory) {
        let Some(calm) = self.calm() else { return };
        if at > calm && !self.is_orphaned(at, calm, shared) {
            self.exercised = true;
            match answer {
                Answer::Acquired => self.served[usize::from(client)] = true,
                // More than that says nothing new.
                _ => {
                    let refused = &mut self.refused[usize::from(client)];
                    *refused = (*refused + 1).min(REFUSALS);
                }
            }
        }
    }

    fn finish(&self, at: u64) -> Result<(), String> {
        for client in 0..CLIENTS {
            self.ended_in_time(at, client as Client)?;
            if self.refused[client] >= REFUSALS && !self.served[client] {
                return Err(format!(
                    "client {client} never gets the lock, though all faults are long over"
                ));
            }
        }
        let nobody = !self.served.contains(&true) && self.refused.iter().any(|&times| times > 2);
        if nobody {
            return Err("nobody gets the lock, though all faults are long over".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};
    use crate::history::{Answer, Ask, Event};

    #[test]
    fn accepts_calls_that_end_in_time() {
        let ended = told(0, 1, Ask::Acquire, Answer::NotAcquired);
        let story = [asked(0, Ask::Acquire, 200), ended, Event::Finished];
        assert_eq!(observer(Guarantee::Liveness, &story), None);
    }

    #[test]
    fn rejects_a_call_that_ends_late_or_never() {
        let ended = told(0, 1, Ask::Acquire, Answer::NotAcquired);
        assert!(observer(Guarantee::Liveness, &[asked(0, Ask::Acquire, 150), ended]).is_some());
        let never = [asked(0, Ask::Acquire, 150), Event::Finished];
        assert!(observer(Guarantee::Liveness, &never).is_some());
    }

    #[test]
    fn accepts_two_calls_of_one_process_at_a_time_and_rejects_either_that_ends_late() {
        let ask = [asked(0, Ask::Acquire, 150), asked(0, Ask::Release, 900)];
        let late = told(0, 1, Ask::Release, Answer::Released);
        assert!(observer(Guarantee::Liveness, &[&ask[..], &[late]].concat()).is_some());
        let ask = [asked(0, Ask::Acquire, 900), asked(0, Ask::Release, 950)];
        let ended = [
            told(0, 1, Ask::Release, Answer::Released),
            told(0, 2, Ask::Acquire, Answer::Acquired),
        ];
        assert_eq!(observer(Guarantee::Liveness, &[&ask[..], &ended].concat()), None);
    }

    /// What is said of a client that asks while another holds the lock until 1 ms into the calm, and
    /// is served so many µs later.
    fn served_after(vacant: u64) -> Option<String> {
        let mut checkers = super::super::CheckerSet::default();
        let calm = super::CONVALESCENCE;
        checkers.observe(0, &Event::Healed);
        checkers.observe(calm - 9_000, &held(1, 1, 2 * calm));
        checkers.observe(calm - 8_000, &asked(0, Ask::Acquire, 2 * calm));
        checkers.observe(calm + 1_000, &ended(1, 1));
        checkers.observe(calm + 1_000 + vacant, &held(0, 1, 2 * calm));
        checkers.violation(Guarantee::Liveness).map(|violation| violation.text.clone())
    }

    #[test]
    fn rejects_that_whoever_waits_is_left_waiting_for_a_lock_that_nobody_holds() {
        assert_eq!(served_after(super::VACANCY), None);
        let found = served_after(super::VACANCY + 1_000).expect("it waited for too long");
        assert!(found.contains("waits for 501 ms for a lock that nobody holds"), "{found}");
    }

    #[test]
    fn rejects_a_lock_that_nobody_gets_after_healing() {
        let mut checkers = super::super::CheckerSet::default();
        checkers.observe(0, &Event::Healed);
        for round in 1..9 {
            let at = super::CONVALESCENCE + round;
            checkers.observe(at, &asked(0, Ask::Acquire, u64::MAX));
            checkers.observe(at, &told(0, 1, Ask::Acquire, Answer::NotAcquired));
        }
        checkers.observe(super::CONVALESCENCE + 10, &Event::Finished);
        assert!(checkers.violation(Guarantee::Liveness).is_some());
    }
}
