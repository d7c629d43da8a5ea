//! Every call ends by its deadline, and once faults are over, those who ask are served.

use super::{CLIENTS, Checker, SharedHistory, SLACK};
use crate::{decide::Fault, history::{Answer, Ask, Client, Event}};

/// The longest that a lease of a past fault and the polls after it may keep everybody waiting.
const CONVALESCENCE: u64 = 2_500_000;

/// How often a client that is told no may ask in a calm world before that is called starving.
const REFUSALS: u32 = 6;

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Liveness {
    /// When each client's call must have ended.
    pending: [Option<u64>; CLIENTS],
    healed_at: Option<u64>,
    /// Since when the key is as it is.
    key_since: u64,
    refused: [u32; CLIENTS],
    served: [bool; CLIENTS],
    /// Whether anybody was told anything once all was calm.
    answered: bool,
}

impl Checker for Liveness {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        match *event {
            Event::Asked { client, by, .. } => self.pending[usize::from(client)] = Some(by),
            Event::Returned { client, ask, answer, .. } => {
                self.ended_in_time(at, client)?;
                self.pending[usize::from(client)] = None;
                if ask == Ask::Acquire {
                    self.count(at, client, answer, shared);
                }
            }
            Event::Injected { fault: Fault::ClientCrash, client: Some(client), .. } => {
                self.pending[usize::from(client)] = None;
            }
            Event::Injected { fault: Fault::ClientPause, client: Some(client), until, .. } => {
                // A process that stands still does not wait.
                if let Some(by) = &mut self.pending[usize::from(client)] {
                    *by = by.saturating_add(until.saturating_sub(at));
                }
            }
            Event::Key { before, after, .. } if before != after => self.key_since = at,
            Event::Healed => self.healed_at = Some(at),
            Event::Finished => return self.finish(at),
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> bool {
        self.answered
    }
}

impl Liveness {
    fn ended_in_time(&self, at: u64, client: Client) -> Result<(), String> {
        match self.pending[usize::from(client)] {
            Some(by) if at > by.saturating_add(SLACK) => Err(format!(
                "a call of client {client} has not ended {} ms after the time that bounds it",
                (at - by) / 1_000
            )),
            _ => Ok(()),
        }
    }

    fn count(&mut self, at: u64, client: Client, answer: Answer, shared: &SharedHistory) {
        let Some(calm) = self.healed_at.map(|healed| healed + CONVALESCENCE) else { return };
        // A lease from before that lasts too long is another guarantee's business.
        let orphan = self.key_since < calm
            && shared.key.is_some_and(|(_, until)| at < until && until < u64::MAX);
        if at > calm && !orphan {
            self.answered = true;
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
