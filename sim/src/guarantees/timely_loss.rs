//! A holder is told that its lease is over no later than its own deadline, or as soon as it goes on if
//! it stands still then: nobody can tell it anything before.

use super::{CLIENTS, Checker, SLACK, SharedHistory};
use crate::history::{Client, End, Event};

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct TimelyLoss {
    until: [Option<u64>; CLIENTS],
    /// Whether a lease came to its end under its holder.
    pub(super) exercised: bool,
}

impl Checker for TimelyLoss {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        match *event {
            Event::Held { client, until, .. } => {
                self.until[usize::from(client)] = Some(until);
                Ok(())
            }
            Event::Acted { client, .. } => self.told_in_time(at, client, shared),
            Event::Ended { client, end, .. } => {
                self.exercised |= self.until[usize::from(client)].is_some_and(|until| at >= until);
                let verdict = self.told_in_time(at, client, shared);
                self.until[usize::from(client)] = None;
                if end == End::Gone { Ok(()) } else { verdict }
            }
            Event::Finished => {
                (0..CLIENTS).try_for_each(|client| self.told_in_time(at, client as Client, shared))
            }
            _ => Ok(()),
        }
    }
}

impl TimelyLoss {
    fn told_in_time(&self, at: u64, client: Client, shared: &SharedHistory) -> Result<(), String> {
        let index = usize::from(client);
        match self.until[index] {
            Some(until) if at > until.max(shared.paused_until[index]) + SLACK => Err(format!(
                "client {client} still believes that it holds the lock {} ms after its lease was \
                 over, and nothing told it",
                (at - until) / 1_000
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};
    use crate::history::Event;

    #[test]
    fn accepts_a_loss_at_the_deadline() {
        assert_eq!(observer(Guarantee::TimelyLoss, &[held(0, 1, 200), lost(0, 1)]), None);
    }

    #[test]
    fn accepts_a_late_loss_of_a_process_that_stood_still() {
        let story = [held(0, 1, 150), paused(0, 300), lost(0, 1)];
        assert_eq!(observer(Guarantee::TimelyLoss, &story), None);
    }

    #[test]
    fn rejects_a_holder_that_was_never_told() {
        assert!(observer(Guarantee::TimelyLoss, &[held(0, 1, 150), lost(0, 1)]).is_some());
        assert!(observer(Guarantee::TimelyLoss, &[held(0, 1, 150), acted(0, 1)]).is_some());
        assert!(observer(Guarantee::TimelyLoss, &[held(0, 1, 150), Event::Finished]).is_some());
    }
}
