//! No two valid runs overlap, and what was run and noted is not run again.

use super::{Checker, SharedHistory, calls::name};
use crate::history::{Client, DebounceEvent, Event};

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct DebounceSingleRun {
    /// The claim that stands: whose, and until when.
    alive: Option<(Client, u64, u64)>,
    /// The newest call whose run was noted.
    settled: usize,
    /// Whether another asked while a run was valid.
    pub(super) exercised: bool,
}

impl Checker for DebounceSingleRun {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        if let Event::Applied { client, .. } = *event {
            self.exercised |=
                self.alive.is_some_and(|(runner, _, until)| runner != client && at < until);
        }
        let Event::Debounce(event) = *event else { return Ok(()) };
        match event {
            DebounceEvent::Claimed { client, call, fence, until } if fence > 0 => {
                if let Some((other, known, alive)) = self.alive
                    && at < alive
                    && known != fence
                {
                    return Err(format!(
                        "client {client} is let run {} while the run of client {other} is still \
                         valid",
                        name(call)
                    ));
                }
                let order = shared.calls.order(call);
                if order <= self.settled {
                    return Err(format!("{} is run again after it has been run", name(call)));
                }
                self.alive = Some((client, fence, until));
            }
            // A run without a fence has no lease either: it is valid until it ends.
            DebounceEvent::RunBegan { client, call, fence: 0 } => {
                if let Some((other, _, _)) = self.alive {
                    return Err(format!(
                        "client {client} begins to run {} while client {other} still runs",
                        name(call)
                    ));
                }
                self.alive = Some((client, 0, u64::MAX));
            }
            DebounceEvent::RunEnded { client, .. } | DebounceEvent::Returned { client, .. }
                if self.alive.is_some_and(|(_, fence, _)| fence == 0) =>
            {
                self.release(client);
            }
            DebounceEvent::Settled { client, fence } => {
                let order = shared.calls.claimed(fence).map_or(0, |call| shared.calls.order(call));
                self.settled = self.settled.max(order);
                self.release(client);
            }
            DebounceEvent::Rearmed { client } | DebounceEvent::NotRearmed { client } => {
                self.release(client);
            }
            _ => {}
        }
        Ok(())
    }
}

impl DebounceSingleRun {
    fn release(&mut self, client: Client) {
        self.alive.take_if(|(runner, _, _)| *runner == client);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};
    use crate::history::{DebounceEvent, Event};

    #[test]
    fn accepts_the_next_run_after_the_lease_of_the_first() {
        let story = [armed(1, 1), claimed(call(1, 1), 7, 250), claimed(call(1, 1), 8, 9_000)];
        assert_eq!(observer(Guarantee::DebounceSingleRun, &story), None);
    }

    #[test]
    fn rejects_two_valid_runs_at_once() {
        let story = [armed(1, 1), claimed(call(1, 1), 7, 9_000), claimed(call(1, 1), 8, 9_000)];
        assert!(observer(Guarantee::DebounceSingleRun, &story).is_some());
    }

    #[test]
    fn rejects_two_runs_without_fences_at_once() {
        let begins =
            |client, call| Event::Debounce(DebounceEvent::RunBegan { client, call, fence: 0 });
        let (first, second) = (begins(0, call(0, 1)), begins(1, call(1, 1)));
        let ended = run_ended(call(0, 1), true);
        assert!(observer(Guarantee::DebounceSingleRun, &[first, second]).is_some());
        assert_eq!(observer(Guarantee::DebounceSingleRun, &[first, ended, second]), None);
    }

    #[test]
    fn rejects_a_run_of_what_was_noted_as_run() {
        let run = [armed(1, 1), claimed(call(1, 1), 7, 9_000), settled(7)];
        let again = [claimed(call(1, 1), 8, 9_000)];
        assert!(observer(Guarantee::DebounceSingleRun, &[&run[..], &again].concat()).is_some());
    }
}
